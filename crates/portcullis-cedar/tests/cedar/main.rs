//! Cedar policies as policies of portcullis, through the public surface.

mod context;
mod decisions;
mod entities;
mod matrix;
mod reload;
mod startup;
mod support;
