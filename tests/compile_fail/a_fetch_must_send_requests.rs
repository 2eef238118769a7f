// An address where a client is expected.

use portcullis::RemoteKeySet;

fn main() {
    let _ = RemoteKeySet::discover("https://issuer.test").fetch("https://proxy.test");
}
