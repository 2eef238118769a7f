//! Several methods in one place.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::HeaderName;
use http::header::AUTHORIZATION;
use http::request::Parts;
use pin_project_lite::pin_project;

use crate::{AuthError, AuthenticateRequest, Authentication, Authorization, Challenges, Delivery, Presence};

/// Accepts whatever any of several methods accepts, and lets exactly one of them decide.
///
/// # Decision rules
///
/// 1. Every method is asked for its [`presence`](AuthenticateRequest::presence); none of them checks
///    anything yet.
/// 2. Any malformed, or two explicit credentials → malformed, 400 (RFC 6750 §2: one method only).
/// 3. One explicit → it alone decides; ambient credentials beside it are not looked at.
/// 4. Otherwise the first ambient one decides.
///
/// A credential that does not hold is refused: there is no falling through to the next method.
///
/// All methods name the same principal type. Two to eight of them fit into the tuple.
pub struct AnyOf<M> {
    methods: M,
    challenges: Challenges,
    inspected: Vec<HeaderName>,
}

/// [`AnyOf`] the methods of a tuple.
pub fn any_of<M: Methods>(methods: M) -> AnyOf<M> {
    let mut inspected = Vec::new();
    for name in methods.inspected() {
        if !inspected.contains(name) {
            inspected.push(name.clone());
        }
    }
    AnyOf {
        challenges: Challenges::merged(methods.all_challenges()),
        inspected,
        methods,
    }
}

impl<M> fmt::Debug for AnyOf<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyOf")
            .field("challenges", &self.challenges)
            .finish_non_exhaustive()
    }
}

impl<M: Methods> AnyOf<M> {
    /// What the request carries, and whose it is.
    fn sort(&self, parts: &Parts) -> (Presence, usize) {
        let mut explicit = None;
        let mut ambient = None;
        for index in 0..M::COUNT {
            match self.methods.presence_of(index, parts) {
                Presence::Malformed => return (Presence::Malformed, index),
                Presence::Present(Delivery::Explicit) if explicit.is_some() => {
                    return (Presence::Malformed, index);
                }
                Presence::Present(Delivery::Explicit) => explicit = Some(index),
                Presence::Present(Delivery::Ambient) => ambient = ambient.or(Some(index)),
                Presence::Absent => {}
            }
        }
        match (explicit, ambient) {
            (Some(index), _) if self.has_stray_authorization(index, parts) => (Presence::Malformed, index),
            (Some(index), _) => (Presence::Present(Delivery::Explicit), index),
            (None, Some(index)) => (Presence::Present(Delivery::Ambient), index),
            (None, None) => (Presence::Absent, 0),
        }
    }

    /// Whether `Authorization` speaks a scheme of ours although the explicit credential of method
    /// `index` stands elsewhere: two explicit credentials, even if no method recognises this one.
    fn has_stray_authorization(&self, index: usize, parts: &Parts) -> bool {
        !self.methods.inspected_by(index).contains(&AUTHORIZATION)
            && self.inspected.contains(&AUTHORIZATION)
            && match Authorization::parse(&parts.headers) {
                Ok(Some(sent)) => {
                    let is_ours = |scheme: &str| self.challenges.accepts(scheme);
                    is_ours(sent.scheme()) || sent.check_foreign(is_ours).is_err()
                }
                Ok(None) => false,
                Err(_) => true,
            }
    }
}

impl<M: Methods> AuthenticateRequest for AnyOf<M> {
    type Principal = M::Principal;
    type Future = M::Future;

    fn presence(&self, parts: &Parts) -> Presence {
        self.sort(parts).0
    }

    fn authenticate_request(&self, parts: &Parts) -> Self::Future {
        let (_, index) = self.sort(parts);
        self.methods.check(index, parts)
    }

    fn verdict_now(check: Self::Future) -> Result<Verdict<Self::Principal>, Self::Future> {
        M::verdict_now(check)
    }

    fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    fn inspected_headers(&self) -> &[HeaderName] {
        &self.inspected
    }
}

/// What a check comes to.
type Verdict<P> = Result<Option<Authentication<P>>, AuthError>;

mod sealed {
    #[allow(unnameable_types)] // Sealed on purpose.
    pub trait Sealed {}
}

/// A tuple of methods with one principal type. Sealed; implemented for two to eight.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tuple of two to eight authentication methods",
    note = "every element must implement `AuthenticateRequest` with the same `Principal`"
)]
pub trait Methods: sealed::Sealed + Send + Sync + 'static {
    /// Who callers are.
    type Principal: Send + Sync + 'static;
    /// The check of whichever method is chosen.
    type Future: Future<Output = Result<Option<Authentication<Self::Principal>>, AuthError>> + Send + 'static;
    /// How many methods there are.
    const COUNT: usize;

    /// What method `index` says about a request.
    fn presence_of(&self, index: usize, parts: &Parts) -> Presence;
    /// Lets method `index` check a request.
    fn check(&self, index: usize, parts: &Parts) -> Self::Future;
    /// The verdict of a check that has come to one, as
    /// [`AuthenticateRequest::verdict_now`] has it.
    ///
    /// # Errors
    ///
    /// The check, untouched.
    #[allow(clippy::type_complexity)] // The output of the check, or the check.
    fn verdict_now(
        check: Self::Future,
    ) -> Result<Result<Option<Authentication<Self::Principal>>, AuthError>, Self::Future>;
    /// The headers method `index` looks at.
    fn inspected_by(&self, index: usize) -> &[HeaderName];
    /// Every method's challenges.
    fn all_challenges(&self) -> impl Iterator<Item = &Challenges>;
    /// Every header any method looks at.
    fn inspected(&self) -> impl Iterator<Item = &HeaderName>;
}

pin_project! {
    /// One of two checks, unboxed. Nested for more than two.
    #[project = EitherProjection]
    #[derive(Debug)]
    #[allow(clippy::exhaustive_enums)] // Two sides.
    #[allow(missing_docs)] // The macro takes no documentation on fields.
    pub enum Either<L, R> {
        /// The first method's.
        Left {
            #[pin] future: L
        },
        /// That of one of the others.
        Right {
            #[pin] future: R
        },
    }
}

impl<L, R> Future for Either<L, R>
where
    L: Future,
    R: Future<Output = L::Output>,
{
    type Output = L::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            EitherProjection::Left { future } => future.poll(cx),
            EitherProjection::Right { future } => future.poll(cx),
        }
    }
}

macro_rules! either_type {
    ($last:ident) => { $last::Future };
    ($first:ident $($rest:ident)+) => { Either<$first::Future, either_type!($($rest)+)> };
}

macro_rules! check_chain {
    ($parts:ident, $index:expr, $position:expr, $last:ident) => {
        $last.authenticate_request($parts)
    };
    ($parts:ident, $index:expr, $position:expr, $first:ident $($rest:ident)+) => {
        if $index == $position {
            Either::Left { future: $first.authenticate_request($parts) }
        } else {
            Either::Right { future: check_chain!($parts, $index, $position + 1, $($rest)+) }
        }
    };
}

macro_rules! verdict_chain {
    ($check:ident, $last:ident) => {
        $last::verdict_now($check)
    };
    ($check:ident, $first:ident $($rest:ident)+) => {
        match $check {
            Either::Left { future } => $first::verdict_now(future).map_err(|future| Either::Left { future }),
            Either::Right { future } => {
                verdict_chain!(future, $($rest)+).map_err(|future| Either::Right { future })
            }
        }
    };
}

macro_rules! methods {
    ($count:literal: $first:ident $($rest:ident)*) => {
        impl<$first, $($rest),*> sealed::Sealed for ($first, $($rest),*) {}

        #[allow(non_snake_case)] // The type parameters name the variables, too.
        impl<$first, $($rest),*> Methods for ($first, $($rest),*)
        where
            $first: AuthenticateRequest,
            $($rest: AuthenticateRequest<Principal = $first::Principal>,)*
        {
            type Principal = $first::Principal;
            type Future = either_type!($first $($rest)*);
            const COUNT: usize = $count;

            fn presence_of(&self, index: usize, parts: &Parts) -> Presence {
                let ($first, $($rest),*) = self;
                let mut position = 0;
                if index == position {
                    return $first.presence(parts);
                }
                $(
                    position += 1;
                    if index == position {
                        return $rest.presence(parts);
                    }
                )*
                Presence::Absent
            }

            fn check(&self, index: usize, parts: &Parts) -> Self::Future {
                let ($first, $($rest),*) = self;
                check_chain!(parts, index, 0, $first $($rest)*)
            }

            fn verdict_now(check: Self::Future) -> Result<Verdict<Self::Principal>, Self::Future> {
                verdict_chain!(check, $first $($rest)*)
            }

            fn inspected_by(&self, index: usize) -> &[HeaderName] {
                let ($first, $($rest),*) = self;
                [$first.inspected_headers(), $($rest.inspected_headers()),*]
                    .get(index)
                    .copied()
                    .unwrap_or_default()
            }

            fn all_challenges(&self) -> impl Iterator<Item = &Challenges> {
                let ($first, $($rest),*) = self;
                [$first.challenges(), $($rest.challenges()),*].into_iter()
            }

            fn inspected(&self) -> impl Iterator<Item = &HeaderName> {
                let ($first, $($rest),*) = self;
                [$first.inspected_headers(), $($rest.inspected_headers()),*]
                    .into_iter()
                    .flatten()
            }
        }
    };
}

methods!(2: A B);
methods!(3: A B C);
methods!(4: A B C D);
methods!(5: A B C D E);
methods!(6: A B C D E F);
methods!(7: A B C D E F G);
methods!(8: A B C D E F G H);

#[cfg(test)]
mod tests;
