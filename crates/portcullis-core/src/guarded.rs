//! Loaded objects that nobody has decided about yet.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::policy::{LoadPolicy, type_label};
use crate::{AuthError, AuthErrorKind, Caller, Decision, Policy};

/// A loaded object that nobody has decided about: what a repository returns.
///
/// It shows nothing of itself, cannot be serialized and does not deref. [`authorize`](Self::authorize) makes it a
/// [`Granted<T, A>`](Granted), which does, and which the repository's writing methods take: `delete` takes a
/// `Granted<Document, CanDelete>`, and there is no other way to come by one.
///
/// ```
/// use std::sync::Arc;
/// use portcullis_core::{
///     Authentication, Caller, Challenge, Challenges, Decision, Granted, Guarded, Method, Policy, Principal, Scheme,
/// };
///
/// #[derive(Debug)]
/// struct Document {
///     owner: String,
/// }
///
/// /// The action, and the policy about it.
/// struct CanDelete;
///
/// impl Policy<Principal, Document> for CanDelete {
///     fn decide(&self, caller: &Authentication<Principal>, document: &Document) -> Decision {
///         Decision::granted_if(caller.principal().subject() == document.owner, "not_the_owner")
///     }
/// }
///
/// fn delete(document: Granted<Document, CanDelete>) {
///     println!("gone: {}", document.owner);
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenges = Challenges::new([Challenge::new(Scheme::BEARER).realm("api")?])?;
/// # let caller_of = |name: &'static str| {
/// #     let evidence = Authentication::assertion(Principal::new("https://issuer.example", name), Method::JWT);
/// #     Caller::new(Arc::new(evidence), challenges.clone())
/// # };
/// let (alice, bob) = (caller_of("alice"), caller_of("bob"));
/// let find = || Guarded::new(Document { owner: "alice".to_owned() });
///
/// assert_eq!(find().authorize(&bob, CanDelete).unwrap_err().status(), 403);
/// delete(find().authorize(&alice, CanDelete)?);
/// # Ok(())
/// # }
/// ```
///
/// # What this does not stop
///
/// Malice, and whoever goes around the repository: code in the same crate can load the row by another way, a policy
/// can grant everything, and [`dangerous_unguarded`](Self::dangerous_unguarded) says what it does. It stops
/// forgetting. It says nothing about *which* object was asked for either: a repository that loads by an id out of the
/// request and returns it guarded leaves the question of whose it is to the policy, which is the point.
///
/// An action is a *type*: of a policy with a value in it (`AtLeast(Level::Read)`), and of a function pointer,
/// [`Granted`] remembers no more than that. Make what a repository tells apart types of their own.
#[must_use = "a guarded object is of no use until somebody decides"]
pub struct Guarded<T>(T);

impl<T> Guarded<T> {
    /// Puts an object under guard. For repositories, as soon as it is loaded.
    pub const fn new(object: T) -> Self {
        Self(object)
    }

    /// Decides whether `caller` may do `action` with the object.
    ///
    /// # Errors
    ///
    /// As the policy decides: 403, 401 for step-up, 503 when it cannot be decided, with the challenges of the place.
    #[allow(clippy::needless_pass_by_value)] // An action is a word, said once; it is not borrowed.
    pub fn authorize<P: 'static, A: Policy<P, T>>(
        self,
        caller: &impl AsRef<Caller<P>>,
        action: A,
    ) -> Result<Granted<T, A>, AuthError> {
        caller.as_ref().enforce_policy(&action, &self.0)?;
        Ok(Granted::new(self.0))
    }

    /// As [`authorize`](Self::authorize), for callers who may not even know that the object exists: `None` where they
    /// are denied. Answer it as you answer an object that is not there: the ledger has the refusal, and a success is
    /// withheld.
    ///
    /// # Errors
    ///
    /// When stronger authentication would do, or it cannot be decided.
    pub fn authorize_or_not_found<P: 'static, A: Policy<P, T>>(
        self,
        caller: &impl AsRef<Caller<P>>,
        action: A,
    ) -> Result<Option<Granted<T, A>>, AuthError> {
        match self.authorize(caller, action) {
            Ok(granted) => Ok(Some(granted)),
            Err(error) if is_denial(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// As [`authorize`](Self::authorize), by a policy that loads facts first; `out_of_time` ends the wait.
    ///
    /// `portcullis-tower` has this with a timer, as `authorize_loaded`.
    ///
    /// # Errors
    ///
    /// As [`Caller::enforce_loaded`].
    pub async fn authorize_loaded<P: Sync + 'static, A: LoadPolicy<P, T>>(
        self,
        caller: &impl AsRef<Caller<P>>,
        action: A,
        out_of_time: impl Future<Output = ()>,
    ) -> Result<Granted<T, A>, AuthError>
    where
        T: Sync,
    {
        let caller = caller.as_ref();
        caller.enforce_loaded(&action, &self.0, out_of_time).await?;
        Ok(Granted::new(self.0))
    }

    /// Uncovers one field of a larger object: `None`, and so left out or masked, where the caller may not see it.
    ///
    /// A `Guarded<u32>` as the field of a struct keeps the whole from being serialized before somebody has decided
    /// about it. `resource` is what the policy looks at, mostly the object that the field belongs to. Nothing is
    /// written into the ledger: the object itself is what the request was about.
    ///
    /// # Errors
    ///
    /// When it cannot be decided.
    pub fn reveal<P, L, X>(
        self,
        caller: &impl AsRef<Caller<P>>,
        policy: &L,
        resource: &X,
    ) -> Result<Option<T>, AuthError>
    where
        P: 'static,
        L: Policy<P, X>,
        X: ?Sized,
    {
        let may = caller.as_ref().may(policy, resource)?;
        Ok(may.then_some(self.0))
    }

    /// The object without any decision: for migrations and jobs that act for nobody.
    pub fn dangerous_unguarded(self) -> T {
        self.0
    }
}

impl<I: IntoIterator> Guarded<I> {
    /// Those of a collection with which the caller may do `action`. The others are left out, those for which stronger
    /// authentication would do included. Deciding about a collection is a decision, also when nothing remains.
    ///
    /// Filter in the query as well where a collection is large: this looks at every element.
    ///
    /// # Errors
    ///
    /// When it cannot be decided about one: half a list looks like a whole one.
    pub fn authorize_each<P, A, C>(self, caller: &impl AsRef<Caller<P>>, action: &A) -> Result<C, AuthError>
    where
        P: 'static,
        A: Policy<P, I::Item>,
        C: FromIterator<Granted<I::Item, A>>,
    {
        let caller = caller.as_ref();
        let granted = self
            .0
            .into_iter()
            .filter_map(|item| match caller.may(action, &item) {
                Ok(true) => Some(Ok(Granted::new(item))),
                Ok(false) => None,
                Err(error) => Some(Err(error)),
            });
        let need = Some(type_label::<A>());
        match granted.collect::<Result<C, AuthError>>() {
            Ok(granted) => caller.enforce_named(Decision::Granted, need).map(|()| granted),
            Err(_) => {
                caller.enforce_named(Decision::Unavailable, need)?;
                Err(AuthError::unavailable("policy_unavailable"))
            }
        }
    }
}

/// Whether the caller may not, and no stronger authentication would help.
fn is_denial(error: &AuthError) -> bool {
    matches!(
        error.kind(),
        AuthErrorKind::Denied | AuthErrorKind::InsufficientScope
    )
}

impl<T: Clone> Clone for Guarded<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Says that there is an object, and nothing of it.
impl<T> fmt::Debug for Guarded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guarded(..)")
    }
}

/// An object with which the caller may do `A`, and nothing else.
///
/// Born where a decision granted: in [`Guarded::authorize`] and its siblings. Derefs to the object. It is not `Clone`:
/// one decision, one use.
#[must_use]
pub struct Granted<T, A> {
    object: T,
    action: PhantomData<fn() -> A>,
}

impl<T, A> Granted<T, A> {
    const fn new(object: T) -> Self {
        Self {
            object,
            action: PhantomData,
        }
    }

    /// The object. The decision is used up.
    pub fn into_inner(self) -> T {
        self.object
    }

    /// Changes the object, which stays granted: the change is what was allowed. Put no other object in its place.
    pub fn edit(mut self, change: impl FnOnce(&mut T)) -> Self {
        change(&mut self.object);
        self
    }
}

impl<T, A> Deref for Granted<T, A> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.object
    }
}

impl<T: fmt::Debug, A> fmt::Debug for Granted<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Granted").field(&self.object).finish()
    }
}

#[cfg(test)]
mod tests;
