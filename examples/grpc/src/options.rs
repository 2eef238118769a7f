//! The command line.

use std::net::SocketAddr;

use clap::Parser;

/// A gRPC server that shows 16, 7 and streams that end with their token.
///
/// Without --issuer it runs an issuer of its own on another port, for development only, and prints grpcurl
/// lines with freshly minted tokens.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:50051")]
    pub(crate) listen: SocketAddr,

    /// The issuer whose tokens are accepted, exactly as it stands in `iss`. Its keys are discovered.
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,

    /// The audience that tokens must be for (`aud`).
    #[arg(long, value_name = "AUD", default_value = "https://api.example.test")]
    pub(crate) audience: String,

    /// Allow http for an issuer on this machine. For development.
    #[arg(long)]
    pub(crate) allow_http_loopback: bool,
}
