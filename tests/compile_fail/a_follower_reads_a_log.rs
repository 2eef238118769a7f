// The memory store has nothing to follow: it serves one process.

use portcullis_store::MemoryStore;
use portcullis_store::changes::Follower;

fn main() {
    let _ = Follower::new(MemoryStore::new());
}
