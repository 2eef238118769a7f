//! The request path as a client sees it: a router, a layer, tokens, and everything an attacker can send.
//!
//! Requests go through the tower stack in memory: no sockets, and the time is set by hand.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod cookies;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod places;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod silence;
#[cfg(test)]
mod support;
#[cfg(test)]
mod wiring;
