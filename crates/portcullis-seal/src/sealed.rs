//! What a sealed value is for, what it is bound to, and the value itself.

use std::fmt;
use std::marker::PhantomData;

use portcullis_core::Secret;

/// What a sealed value is for. A value that was sealed for one purpose is refused for every other.
///
/// The name is part of what is authenticated. It is never sent, and changing it refuses every value that
/// was sealed under the old one. Two purposes need two names; the compiler does not compare them.
///
/// ```
/// use portcullis_seal::Purpose;
///
/// /// Who is signing in, between the redirect and the callback.
/// struct SignIn;
///
/// impl Purpose for SignIn {
///     const NAME: &'static str = "shop: sign-in";
/// }
/// ```
///
/// An empty name does not compile where it is used:
///
/// ```compile_fail,E0080
/// # use portcullis_seal::{Context, Purpose, Sealed, SealingKey, SealingRing};
/// struct Forgotten;
///
/// impl Purpose for Forgotten {
///     const NAME: &'static str = "";
/// }
///
/// # let key = SealingKey::generate().unwrap();
/// # let ring = SealingRing::builder().current(key).build().unwrap();
/// let _ = ring.open(&Context::none(), &Sealed::<Forgotten>::from_text("…"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no purpose of a sealed value",
    note = "declare `struct {Self};` and `impl Purpose for {Self}` with a name of its own"
)]
pub trait Purpose {
    /// Unique in the application, and the same in all its instances.
    const NAME: &'static str;
}

/// What a value is bound to besides its purpose: the name of its cookie, the tenant, the browser. It is
/// not sent; whoever opens the value has to know it.
///
/// A list of parts, each counted with its length, so that `["ab", "c"]` and `["a", "bc"]` differ.
///
/// ```
/// use portcullis_seal::Context;
///
/// assert_ne!(Context::of("ab").and("c"), Context::of("a").and("bc"));
/// assert_ne!(Context::none(), Context::of(""));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Context(Vec<u8>);

impl Context {
    /// The purpose says it all.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// One part. For a cookie its name, so that two cookies of one purpose cannot be swapped.
    #[must_use]
    pub fn of(part: impl AsRef<[u8]>) -> Self {
        Self::none().and(part)
    }

    /// One more part.
    #[must_use]
    pub fn and(mut self, part: impl AsRef<[u8]>) -> Self {
        append_part(&mut self.0, part.as_ref());
        self
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Appends a part with its length before it.
pub(crate) fn append_part(to: &mut Vec<u8>, part: &[u8]) {
    // No slice is longer than 2⁶⁴ bytes.
    let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
    to.extend_from_slice(&length.to_be_bytes());
    to.extend_from_slice(part);
}

/// Shows nothing: it may well hold the id of a session.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context(..)")
    }
}

/// A sealed value of the purpose `P`, as text: base64url without padding, so that it fits into a cookie,
/// an address or a header as it is.
///
/// Born by [`SealingRing::seal`](crate::SealingRing::seal), or [from text](Self::from_text) that arrived
/// and of which nothing is known yet. Whoever has the text can present it, so `Debug` shows nothing and it is
/// wiped on drop.
///
/// The compiler accepts a value where its purpose is expected, and not where another is:
///
/// ```
/// # use portcullis_seal::{Context, Purpose, Sealed, SealingRing};
/// # struct Invitation;
/// # impl Purpose for Invitation { const NAME: &'static str = "invitation"; }
/// fn open(ring: &SealingRing, invitation: &Sealed<Invitation>) {
///     let _ = ring.open::<Invitation>(&Context::none(), invitation);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use portcullis_seal::{Context, Purpose, Sealed, SealingRing};
/// # struct SignIn;
/// # impl Purpose for SignIn { const NAME: &'static str = "sign-in"; }
/// # struct Invitation;
/// # impl Purpose for Invitation { const NAME: &'static str = "invitation"; }
/// fn open(ring: &SealingRing, invitation: &Sealed<Invitation>) {
///     let _ = ring.open::<SignIn>(&Context::none(), invitation);
/// }
/// ```
pub struct Sealed<P> {
    text: Secret<String>,
    /// It is neither held nor dropped.
    purpose: PhantomData<fn() -> P>,
}

impl<P: Purpose> Sealed<P> {
    /// Takes what arrived where a value of this purpose is expected. Checks nothing yet.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self {
            text: Secret::new(text.into()),
            purpose: PhantomData,
        }
    }

    /// The text, to be sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.expose()
    }
}

impl<P> Clone for Sealed<P> {
    fn clone(&self) -> Self {
        Self {
            text: self.text.clone(),
            purpose: PhantomData,
        }
    }
}

impl<P> fmt::Debug for Sealed<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}
