//! The ledger among other layers: what was forgotten is withheld wherever the layers stand, and the account of
//! decisions shows no credential and can be forged by nobody.

#[cfg(test)]
mod account;
#[cfg(test)]
mod costs;
#[cfg(test)]
mod fields;
#[cfg(test)]
mod forgotten;
#[cfg(test)]
mod lines;

/// The application of the tests of the wire; its helpers serve here as well.
#[cfg(test)]
#[allow(dead_code)] // A part of it is needed here.
#[path = "../wire/support.rs"]
mod wire;
