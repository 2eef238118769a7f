use super::*;
use crate::FetchErrorKind;

fn check(destinations: &Destinations, url: &str) -> Result<Trust, FetchErrorKind> {
    let uri = url.parse().unwrap_or_else(|_| panic!("{url}"));
    destinations.check(&uri).map_err(|error| error.kind())
}

const REFUSED: Result<Trust, FetchErrorKind> = Err(FetchErrorKind::RefusedDestination);

/// SS1
#[test]
fn only_https_is_accepted() {
    let destinations = Destinations::new();
    assert_eq!(
        check(&destinations, "https://keys.example.com/"),
        Ok(Trust::Public)
    );
    for url in [
        "http://keys.example.com/",
        "http://127.0.0.1/",
        "http://localhost/",
        "ftp://keys.example.com/",
        "ws://keys.example.com/",
        "/relative",
        "*",
    ] {
        assert_eq!(check(&destinations, url), REFUSED, "{url}");
    }
}

/// SS1
#[test]
fn plain_http_reaches_this_machine_behind_the_switch_and_nothing_else() {
    let destinations = Destinations::new().allow_http_loopback();
    for url in [
        "http://localhost:3000/",
        "http://LOCALHOST/",
        "http://127.0.0.1:3000/",
        "http://127.9.9.9/",
        "http://0x7f.1/",
        "http://[::1]:3000/",
    ] {
        assert_eq!(check(&destinations, url), Ok(Trust::Loopback), "{url}");
    }
    for url in [
        "http://keys.example.com/",
        "http://localhost.example.com/",
        "http://sub.localhost/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/",
        "https://127.0.0.1/",
        "https://localhost/",
    ] {
        assert_eq!(check(&destinations, url), REFUSED, "{url}");
    }
}

/// SS3, SSRF through every spelling of an address
#[test]
fn a_host_out_of_data_must_be_public() {
    let destinations = Destinations::new();
    for url in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/",
        "https://0/",
        "https://[::1]/",
        "https://[::ffff:7f00:1]/",
        "https://[fd00::1]/",
        "https://[64:ff9b::a00:1]/",
        "https://localhost/",
        "https://localhost./",
        "https://LocalHost/",
        "https://a.localhost/",
        "https://kubernetes/",
        "https://metadata.google.internal/",
        "https://metadata.google.internal./",
        "https://login.svc.cluster.local/",
        "https://router.home.arpa/",
    ] {
        assert_eq!(check(&destinations, url), REFUSED, "{url}");
    }
    for url in [
        "https://keys.example.com/",
        "https://keys.example.com:8443/",
        "https://internal.example.com/",
        "https://notlocalhost.example/",
        "https://xlocal.notlocal/",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]/",
    ] {
        assert_eq!(check(&destinations, url), Ok(Trust::Public), "{url}");
    }
}

#[test]
fn user_information_is_refused() {
    let destinations = Destinations::new()
        .trust_origin("https://issuer.example")
        .expect("an origin");
    assert_eq!(
        check(&destinations, "https://issuer.example/"),
        Ok(Trust::Configured)
    );
    for url in [
        "https://user@issuer.example/",
        "https://user:pass@issuer.example/",
        "https://issuer.example@evil.example/",
        "https://:pass@issuer.example/",
    ] {
        assert_eq!(check(&destinations, url), REFUSED, "{url}");
    }
}

#[test]
fn a_fragment_is_refused_where_it_can_be_seen() {
    let destinations = Destinations::new();
    let good = destinations.admit("https://issuer.example/jwks?x=y");
    assert_eq!(good.expect("it is fine"), "https://issuer.example/jwks?x=y");
    for url in [
        "https://issuer.example/jwks?x=y#a",
        "https://issuer.example/#",
        "/jwks",
        "https://10.0.0.1/jwks",
    ] {
        let refused = destinations.admit(url).map_err(|error| error.kind());
        assert_eq!(refused, Err(FetchErrorKind::RefusedDestination), "{url}");
    }
}

#[test]
fn a_trusted_origin_is_scheme_host_and_port() {
    let destinations = Destinations::new()
        .trust_origin("https://login.corp.internal:8443/realms/a?x=y")
        .expect("an origin");
    for url in [
        "https://login.corp.internal:8443/other",
        "https://LOGIN.corp.internal:8443/",
    ] {
        assert_eq!(check(&destinations, url), Ok(Trust::Configured), "{url}");
    }
    for url in [
        "https://login.corp.internal/",
        "https://login.corp.internal:8444/",
        "https://other.corp.internal:8443/",
        "https://login.corp.internal.:8443/",
        "http://login.corp.internal:8443/",
    ] {
        assert_eq!(check(&destinations, url), REFUSED, "{url}");
    }
    let standard_port = Destinations::new()
        .trust_origin("https://10.0.0.1:443")
        .expect("an origin");
    assert_eq!(check(&standard_port, "https://10.0.0.1/"), Ok(Trust::Configured));
}

#[test]
fn a_listed_host_is_accepted_on_any_port_by_https() {
    let destinations = Destinations::new()
        .allow_host("keys.corp.internal")
        .and_then(|listed| listed.allow_host("10.0.0.1"))
        .and_then(|listed| listed.allow_host("[fd00::1]"))
        .expect("hosts");
    for url in [
        "https://keys.corp.internal/",
        "https://keys.corp.internal:9443/",
        "https://10.0.0.1/",
        "https://[fd00::1]/",
    ] {
        assert_eq!(check(&destinations, url), Ok(Trust::Configured), "{url}");
    }
    for url in [
        "http://keys.corp.internal/",
        "https://other.corp.internal/",
        "https://10.0.0.2/",
    ] {
        assert_eq!(check(&destinations, url), REFUSED, "{url}");
    }
}

#[test]
fn mistakes_in_configuration_are_found_at_once() {
    for url in [
        "issuer.example",
        "mailto:a@issuer.example",
        "ftp://issuer.example",
        "https://a:b@issuer.example",
        "",
    ] {
        assert!(Destinations::new().trust_origin(url).is_err(), "{url}");
    }
    for host in ["https://a.example", "a.example/path", "", "a.example:443"] {
        assert!(Destinations::new().allow_host(host).is_err(), "{host}");
    }
}

/// SS3: the judgement after name resolution
#[test]
fn trust_says_which_addresses_a_name_may_have() {
    let public = IpAddr::from([1, 1, 1, 1]);
    let private = IpAddr::from([10, 0, 0, 1]);
    let loopback = IpAddr::from([127, 0, 0, 1]);
    for (trust, expected) in [
        (Trust::Configured, [true, true, true]),
        (Trust::Loopback, [false, false, true]),
        (Trust::Public, [true, false, false]),
    ] {
        let permitted = [public, private, loopback].map(|address| trust.permits(address));
        assert_eq!(permitted, expected, "{trust:?}");
    }
}
