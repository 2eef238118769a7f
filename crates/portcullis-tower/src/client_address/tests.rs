use std::net::IpAddr;
use std::num::NonZeroU8;

use http::request::Parts;
use portcullis_core::{AuthError, AuthErrorKind};
use proptest::prelude::*;

use super::ForwardingHeader::{Forwarded, XForwardedFor};
use super::{ClientAddress, ForwardingHeader, UnknownClient};

const NAMES: [&str; 2] = ["x-forwarded-for", "forwarded"];

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn parts(fields: &[(&str, &str)]) -> Parts {
    let mut request = http::Request::builder();
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a request").into_parts().0
}

const fn name(header: ForwardingHeader) -> &'static str {
    match header {
        XForwardedFor => NAMES[0],
        Forwarded => NAMES[1],
    }
}

fn hops(header: ForwardingHeader, hops: u8, values: &[&str]) -> Result<String, UnknownClient> {
    let fields: Vec<_> = values.iter().map(|value| (name(header), *value)).collect();
    let client = ClientAddress::behind_hops(header, NonZeroU8::new(hops).expect("some"));
    let found = client.find(&parts(&fields), ip("10.0.0.1"))?;
    Ok(found.to_string())
}

fn one(header: ForwardingHeader, value: &str) -> Result<String, UnknownClient> {
    hops(header, 1, &[value])
}

fn listed(networks: &[&str], peer: &str, fields: &[(&str, &str)]) -> Result<String, UnknownClient> {
    let client = ClientAddress::behind_proxies(XForwardedFor, networks.iter().copied()).expect("networks");
    Ok(client.find(&parts(fields), ip(peer))?.to_string())
}

proptest! {
    /// T-RATE-1: by default no header takes part, whatever it says.
    #[test]
    fn no_header_changes_the_answer_when_nobody_is_trusted(
        fields in prop::collection::vec((0..2_usize, "[ -~]{0,60}"), 0..4),
        peer in any::<u32>(),
    ) {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (NAMES[*name], value.as_str())).collect();
        let peer = IpAddr::V4(peer.into());
        prop_assert_eq!(ClientAddress::default().find(&parts(&fields), peer), Ok(peer));
        let elsewhere = ClientAddress::behind_proxies(XForwardedFor, ["2001:db8::/32"]).expect("a network");
        prop_assert_eq!(elsewhere.find(&parts(&fields), peer), Ok(peer));
    }

    /// T-RATE-1: what a client writes stands to the left of what the proxy adds.
    #[test]
    fn nothing_a_client_writes_changes_what_the_proxy_says(forged in "[ -~]{0,60}", separately in any::<bool>()) {
        let joined = format!("{forged}, 192.0.2.7");
        let values = if separately { vec![forged.as_str(), "192.0.2.7"] } else { vec![joined.as_str()] };
        prop_assert_eq!(hops(XForwardedFor, 1, &values), Ok("192.0.2.7".to_owned()));
        let fields: Vec<_> = values.iter().map(|value| (NAMES[0], *value)).collect();
        prop_assert_eq!(listed(&["10.0.0.1"], "10.0.0.1", &fields), Ok("192.0.2.7".to_owned()));
    }

    /// T-RATE-1: quotes that a client leaves open make the request unreadable, never another client's.
    #[test]
    fn nothing_a_client_writes_into_forwarded_makes_it_another(
        forged in r#"(for|by|x|=|"|\\|;|,| |6\.6\.6\.6|\[2001:db8::6\]){0,16}"#,
        own in prop::sample::select(vec!["for=192.0.2.7", "for=\"192.0.2.7:80\"", "for=192.0.2.7;by=\"_x\""]),
    ) {
        let joined = format!("{forged}, {own}");
        let found = hops(Forwarded, 1, &[&joined]);
        prop_assert!(matches!(found.as_deref(), Ok("192.0.2.7") | Err(UnknownClient::Unreadable)), "{found:?}");
        prop_assert_eq!(hops(Forwarded, 1, &[&forged, own]), Ok("192.0.2.7".to_owned()));
    }
}

#[test]
fn the_entry_of_the_outermost_trusted_hop_is_the_client() {
    let values = ["6.6.6.6, 192.0.2.7", "10.0.0.9"];
    assert_eq!(hops(XForwardedFor, 2, &values).as_deref(), Ok("192.0.2.7"));
    assert_eq!(hops(XForwardedFor, 1, &values).as_deref(), Ok("10.0.0.9"));
    assert_eq!(hops(XForwardedFor, 4, &values), Err(UnknownClient::TooFew));
    assert_eq!(hops(XForwardedFor, 1, &[]), Err(UnknownClient::TooFew));
}

#[test]
fn the_other_header_is_not_read() {
    let client = ClientAddress::behind_hops(XForwardedFor, NonZeroU8::MIN);
    let both = parts(&[("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=6.6.6.6")]);
    assert_eq!(client.find(&both, ip("10.0.0.1")), Ok(ip("192.0.2.7")));
    let other = parts(&[("forwarded", "for=6.6.6.6"), ("x_forwarded_for", "6.6.6.6")]);
    assert_eq!(client.find(&other, ip("10.0.0.1")), Err(UnknownClient::TooFew));
}

#[test]
fn listed_proxies_are_passed_over_and_the_first_stranger_is_the_client() {
    let chain = [("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.1.0.3")];
    let known = ["10.0.0.0/8", "2001:db8::/32"];
    assert_eq!(listed(&known, "10.0.0.1", &chain).as_deref(), Ok("192.0.2.7"));
    assert_eq!(
        listed(&known, "::ffff:10.0.0.1", &chain).as_deref(),
        Ok("192.0.2.7")
    );
    assert_eq!(listed(&known, "2001:db8::9", &chain).as_deref(), Ok("192.0.2.7"));
    assert_eq!(listed(&known, "11.0.0.1", &chain).as_deref(), Ok("11.0.0.1"));
    assert_eq!(
        listed(&["10.0.0.0/16"], "10.0.0.1", &chain).as_deref(),
        Ok("10.1.0.3")
    );
}

#[test]
fn where_all_are_listed_the_leftmost_is_the_client_and_without_a_header_the_peer() {
    let inside = [("x-forwarded-for", "10.2.0.1, 10.1.0.3")];
    assert_eq!(
        listed(&["10.0.0.0/8"], "10.0.0.1", &inside).as_deref(),
        Ok("10.2.0.1")
    );
    assert_eq!(
        listed(&["10.0.0.0/8"], "10.0.0.1", &[]).as_deref(),
        Ok("10.0.0.1")
    );
    let garbage = [("x-forwarded-for", "unknown, 10.1.0.3")];
    assert_eq!(
        listed(&["10.0.0.0/8"], "10.0.0.1", &garbage),
        Err(UnknownClient::Unreadable)
    );
}

#[test]
fn addresses_are_read_with_ports_and_brackets_and_nothing_else_around_them() {
    for (value, client) in [
        ("192.0.2.7", "192.0.2.7"),
        (" \t192.0.2.7 ", "192.0.2.7"),
        ("192.0.2.7:65535", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:80", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:80", "192.0.2.7"),
    ] {
        assert_eq!(one(XForwardedFor, value).as_deref(), Ok(client), "{value}");
    }
    for value in [
        "",
        " ",
        "unknown",
        "_hidden",
        "localhost",
        "192.0.2",
        "192.0.2.07",
        "192.0.2.256",
        "192.0.2.7 x",
        "192.0.2.7:",
        "192.0.2.7:+8",
        "192.0.2.7:65536",
        "192.0.2.7:000080",
        "192.0.2.7:_p",
        "192.0.2.7/32",
        "[192.0.2.7]",
        "[2001:db8::7",
        "2001:db8::7]",
        "[2001:db8::7]80",
        "[2001:db8::7]:",
        "[[2001:db8::7]]",
        "2001:db8::7%eth0",
        "[2001:db8::7%25eth0]",
        "\"192.0.2.7\"",
        "for=192.0.2.7",
        "192.0.2.7,",
        "0x7f.1",
    ] {
        assert_eq!(
            one(XForwardedFor, value),
            Err(UnknownClient::Unreadable),
            "{value}"
        );
    }
}

#[test]
fn elements_of_forwarded_are_read_as_rfc_7239_writes_them() {
    for (value, client) in [
        ("for=192.0.2.43", "192.0.2.43"),
        ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
        ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17"),
        ("for=unknown,for=198.51.100.17:80", "198.51.100.17"),
        ("by=\"a, for=6.6.6.6\" ; for=\"192.0.2.\\43\"", "192.0.2.43"),
    ] {
        assert_eq!(one(Forwarded, value).as_deref(), Ok(client), "{value}");
    }
    for value in [
        "",
        "for",
        "for=",
        "for=;",
        "192.0.2.43",
        "for=unknown",
        "for=_gazonk",
        "for=\"_gazonk\"",
        "by=192.0.2.43",
        "for=2001:db8::7",
        "for=\"2001:db8::7\"",
        "for=[2001:db8::7]",
        "for=192.0.2.43;for=192.0.2.43",
        "for=192.0.2.43,",
        "for=192.0.2.43;",
        "for=\"192.0.2.43",
        "for=\"192.0.2.43\"x",
        "for =192.0.2.43",
        "for= 192.0.2.43",
        "for=\"192.0.2.43:_p\"",
        "for=\" 192.0.2.43\"",
        "x=\", for=192.0.2.43",
    ] {
        assert_eq!(one(Forwarded, value), Err(UnknownClient::Unreadable), "{value}");
    }
}

#[test]
fn bytes_that_are_no_text_are_no_address() {
    let mut parts = parts(&[]);
    let value = http::HeaderValue::from_bytes(b"192.0.2.7\xff").expect("opaque");
    parts.headers.insert("x-forwarded-for", value);
    let client = ClientAddress::behind_hops(XForwardedFor, NonZeroU8::MIN);
    assert_eq!(
        client.find(&parts, ip("10.0.0.1")),
        Err(UnknownClient::Unreadable)
    );
}

#[test]
fn networks_are_read_strictly() {
    for network in [
        "10.0.0.0/8",
        "10.0.0.2",
        "10.0.0.2/32",
        "2001:db8::/32",
        "::1",
        "128.0.0.0/1",
    ] {
        assert!(
            ClientAddress::behind_proxies(Forwarded, [network]).is_ok(),
            "{network}"
        );
    }
    for network in [
        "",
        "10.0.0.0/0",
        "::/0",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "10.0.0.0/",
        "10.0.0.1/8",
        "10/8",
        "2001:db8::/129",
        "2001:db8::1/32",
        "::ffff:10.0.0.0/104",
        "proxy.example",
        " 10.0.0.2",
    ] {
        assert!(
            ClientAddress::behind_proxies(Forwarded, [network]).is_err(),
            "{network}"
        );
    }
    assert!(
        ClientAddress::behind_proxies(Forwarded, []).is_err(),
        "none at all"
    );
}

#[test]
fn who_cannot_be_told_is_an_invalid_request() {
    for unknown in [UnknownClient::TooFew, UnknownClient::Unreadable] {
        assert_eq!(AuthError::from(unknown).kind(), AuthErrorKind::InvalidRequest);
    }
}
