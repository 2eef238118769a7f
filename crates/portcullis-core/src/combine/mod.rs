//! Methods made from methods: another principal, the application's own user, a last word.

mod and_then;
mod load;
mod map;

pub use self::and_then::{AndThen, AndThenFuture};
pub use self::load::{Load, LoadFuture};
pub use self::map::{Map, MapFuture};
use crate::{AuthError, Authentication};

/// What a check comes to.
type Verdict<P> = Result<Option<Authentication<P>>, AuthError>;

/// Everything about a method but its check is that of the method inside.
macro_rules! as_inside {
    () => {
        fn presence(&self, parts: &Parts) -> Presence {
            self.inside.presence(parts)
        }

        fn challenges(&self) -> &Challenges {
            self.inside.challenges()
        }

        fn inspected_headers(&self) -> &[HeaderName] {
            self.inside.inspected_headers()
        }
    };
}
use as_inside;

#[cfg(test)]
mod tests;
