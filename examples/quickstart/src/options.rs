//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// A small API that shows 401, 200 and 403.
///
/// Without --issuer it runs an issuer of its own under /issuer, for development only, and prints curl
/// lines with freshly minted tokens.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,

    /// The issuer whose tokens are accepted, exactly as it stands in `iss`.
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,

    /// The audience that tokens must be for (`aud`).
    #[arg(long, value_name = "AUD", default_value = "https://api.example.test")]
    pub(crate) audience: String,

    /// Fetch the issuer's keys from here instead of discovering the address.
    #[arg(long, value_name = "URL", requires = "issuer", conflicts_with = "jwks_file")]
    pub(crate) jwks_url: Option<String>,

    /// Read the issuer's keys from this JWK set file and fetch nothing.
    #[arg(long, value_name = "PATH", requires = "issuer")]
    pub(crate) jwks_file: Option<PathBuf>,

    /// Which tokens are accepted: `jwt` takes plain JWTs and `at+jwt`, `rfc9068` only the latter.
    #[arg(long, value_enum, default_value_t = ProfileName::Jwt)]
    pub(crate) profile: ProfileName,

    /// Print every route, its methods and who may call them, and exit.
    #[arg(long)]
    pub(crate) print_inventory: bool,

    /// Where sessions and API keys are kept: `memory`, `sqlite:PATH`, `postgres://…` or `redis://…`.
    #[arg(long, value_name = "STORE", default_value = "memory")]
    pub(crate) store: String,

    /// The password of all three demo accounts, instead of one of its own for each.
    #[arg(long, value_name = "PASSWORD")]
    pub(crate) demo_password: Option<String>,

    /// Allow http for an issuer on this machine. For development.
    #[arg(long)]
    pub(crate) allow_http_loopback: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ProfileName {
    Jwt,
    Rfc9068,
}

/// What is wrong with the command line, without the usage that clap adds.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let complaint: Vec<_> = text
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .map(str::trim)
        .collect();
    complaint.join(" ").trim_start_matches("error: ").to_owned()
}
