//! Layers in every order: wherever ours stand, and whatever stands around them, the verdict is that of the
//! place, and no answer reaches anybody else.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod bodies;
#[cfg(test)]
#[cfg(unix)]
mod caching;
#[cfg(test)]
mod compression;
#[cfg(test)]
mod cors;
#[cfg(test)]
mod demands;
#[cfg(test)]
mod events;
#[cfg(test)]
mod extractors;
#[cfg(test)]
mod fallbacks;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod handlers;
#[cfg(test)]
mod http_2;
#[cfg(test)]
mod http_layers;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod late;
#[cfg(test)]
#[cfg(unix)]
mod nginx;
#[cfg(test)]
mod on_demand;
#[cfg(test)]
mod panics;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod positions;
#[cfg(test)]
mod support;
#[cfg(test)]
mod twice;
#[cfg(test)]
mod websocket;

/// The application of the tests of the wire; its helpers serve here as well.
#[cfg(test)]
#[allow(dead_code)] // A part of it is needed here.
#[path = "../wire/support.rs"]
mod wire;
