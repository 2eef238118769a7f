//! The scripts.

use std::sync::LazyLock;

/// One script, and the name by which the server remembers it.
#[derive(Debug)]
pub(crate) struct Verb {
    pub(crate) code: &'static str,
    pub(crate) hash: String,
    /// Whether it may be run again when nobody knows whether it ran: it changes nothing that anybody could tell.
    pub(crate) reads: bool,
}

impl Verb {
    fn new(code: &'static str, reads: bool) -> Self {
        let hash = redis::Script::new(code).get_hash().to_owned();
        Self { code, hash, reads }
    }
}

macro_rules! verb {
    ($name:ident, $file:literal, $reads:literal) => {
        pub(crate) static $name: LazyLock<Verb> = LazyLock::new(|| {
            let code = concat!(include_str!("lua/prelude.lua"), "\n", include_str!($file));
            Verb::new(code, $reads)
        });
    };
}

verb!(OPEN, "lua/open.lua", true);
verb!(CREATE, "lua/create.lua", false);
verb!(LOAD, "lua/load.lua", true);
verb!(REPLACE, "lua/replace.lua", false);
verb!(TOUCH, "lua/touch.lua", false);
verb!(REMOVE, "lua/remove.lua", false);
verb!(LIST, "lua/list.lua", true);
verb!(REMOVE_OWNED, "lua/remove_owned.lua", false);
verb!(LOG_END, "lua/log_end.lua", true);
verb!(LOG_READ, "lua/log_read.lua", true);
