//! Claims read twice: by the verifier, in one pass over the text, and by plain code that follows each path through
//! a tree. Trees may name members twice, at any depth, with escapes in some of the names.

use portcullis_jwt::{ClaimMap, VerifiedToken};
use portcullis_test::TokenBuilder;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{ISSUER, NOW, builder, built, issuer, trusted};

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Other(&'static str),
    List(Vec<Self>),
    Map(Members),
}

type Members = Vec<(String, Node)>;

const SCOPES: [&[&str]; 3] = [&["scope"], &["a", "s"], &["sub"]];
const ROLES: [&[&str]; 4] = [&["roles"], &["a", "b"], &["b", "a", "b"], &["\u{e9}"]];
const CLIENTS: [&[&str]; 2] = [&["client_id"], &["a", "id"]];
const MARKS: [&[&str]; 2] = [&["kind"], &["b", "kind"]];

fn map() -> ClaimMap {
    let path = |names: &[&'static str]| names.to_vec();
    let mut map = ClaimMap::empty();
    map = SCOPES.iter().fold(map, |map, names| map.scopes_at(path(names)));
    map = ROLES.iter().fold(map, |map, names| map.roles_at(path(names)));
    map = CLIENTS
        .iter()
        .fold(map, |map, names| map.client_id_at(path(names)));
    MARKS
        .iter()
        .fold(map, |map, names| map.client_when(path(names), "app"))
}

/// What is said about a caller.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    subject: Option<String>,
    client: Option<String>,
    is_client: bool,
    scopes: Vec<String>,
    roles: Vec<String>,
}

fn said(token: &VerifiedToken) -> Said {
    let sorted = |texts: Vec<&str>| {
        let mut texts: Vec<_> = texts.into_iter().map(str::to_owned).collect();
        texts.sort_unstable();
        texts
    };
    Said {
        subject: token.subject().map(str::to_owned),
        client: token.client_id().map(str::to_owned),
        is_client: token.is_client(),
        scopes: sorted(token.scopes().iter().collect()),
        roles: sorted(token.roles().iter().collect()),
    }
}

/// The plain reading: `None` where the token is to be refused.
fn expected(members: &Members) -> Option<Said> {
    if has_duplicates(members) {
        return None;
    }
    let top = |name: &str| {
        members
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, node)| node)
    };
    if top("cnf").is_some() || top("events").is_some() {
        return None;
    }
    let subject = match top("sub") {
        None => None,
        Some(Node::Text(text)) if !text.is_empty() => Some(text.clone()),
        Some(_) => return None,
    };
    if !top("client_id").is_none_or(|node| matches!(node, Node::Text(_))) {
        return None;
    }
    let mut scopes = Vec::new();
    for (text, in_list) in all(members, &SCOPES)? {
        if in_list && text.contains(' ') {
            return None;
        }
        scopes.extend(
            text.split(' ')
                .filter(|scope| !scope.is_empty())
                .map(str::to_owned),
        );
    }
    let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if !scopes.iter().all(|scope| scope.bytes().all(allowed)) {
        return None;
    }
    let clients = all(members, &CLIENTS)?;
    if clients.iter().any(|(_, in_list)| *in_list) {
        return None;
    }
    let clients: Vec<_> = clients
        .into_iter()
        .map(|(text, _)| text)
        .filter(|id| !id.is_empty())
        .collect();
    let mut roles: Vec<_> = all(members, &ROLES)?.into_iter().map(|(text, _)| text).collect();
    scopes.sort_unstable();
    roles.sort_unstable();
    let is_marked = all(members, &MARKS)?.iter().any(|(text, _)| text == "app");
    Some(Said {
        is_client: is_marked || subject.as_ref().is_some_and(|subject| clients.contains(subject)),
        client: clients.first().cloned(),
        subject,
        scopes,
        roles,
    })
}

fn has_duplicates(members: &Members) -> bool {
    let twice = |index: usize, name: &str| members.iter().skip(index + 1).any(|(other, _)| other == name);
    let mut numbered = members.iter().enumerate();
    numbered.any(|(index, (name, node))| twice(index, name) || has_duplicates_below(node))
}

fn has_duplicates_below(node: &Node) -> bool {
    match node {
        Node::Map(members) => has_duplicates(members),
        Node::List(nodes) => nodes.iter().any(has_duplicates_below),
        Node::Text(_) | Node::Other(_) => false,
    }
}

/// The texts at the ends of these paths, and which were elements of a list; `None` where something else stands there.
fn all(members: &Members, paths: &[&[&str]]) -> Option<Vec<(String, bool)>> {
    let mut texts = Vec::new();
    for path in paths {
        let [above @ .., last] = path else { continue };
        let mut here = Some(members);
        for name in above {
            here = here.and_then(|members| match members.iter().find(|(found, _)| found == name) {
                Some((_, Node::Map(below))) => Some(below),
                _ => None,
            });
        }
        match here.and_then(|members| members.iter().find(|(name, _)| name == last)) {
            None => {}
            Some((_, Node::Text(text))) => texts.push((text.clone(), false)),
            Some((_, Node::List(nodes))) => {
                for node in nodes {
                    let Node::Text(text) = node else { return None };
                    texts.push((text.clone(), true));
                }
            }
            Some(_) => return None,
        }
    }
    Some(texts)
}

fn write(node: &Node, escape: &mut impl FnMut() -> bool) -> String {
    match node {
        Node::Text(text) => quoted(text, escape),
        Node::Other(json) => (*json).to_owned(),
        Node::List(nodes) => {
            let nodes: Vec<_> = nodes.iter().map(|node| write(node, escape)).collect();
            format!("[{}]", nodes.join(","))
        }
        Node::Map(members) => {
            let member =
                |(name, node): &(String, Node)| format!("{}:{}", quoted(name, escape), write(node, escape));
            let members: Vec<_> = members.iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// With any of its characters escaped.
fn quoted(text: &str, escape: &mut impl FnMut() -> bool) -> String {
    let unit = |character: char| {
        if escape() {
            let mut units = [0; 2];
            let units = character.encode_utf16(&mut units);
            return units.iter().map(|unit| format!("\\u{unit:04X}")).collect();
        }
        let plain = Value::from(character.to_string()).to_string();
        plain[1..plain.len() - 1].to_owned()
    };
    format!("\"{}\"", text.chars().map(unit).collect::<String>())
}

fn text() -> impl Strategy<Value = Node> {
    let texts = [
        "",
        "app",
        "alice",
        "read",
        "read write",
        " x  y ",
        "a\"b",
        "\u{e9}",
        "x\ty",
    ];
    prop::sample::select(texts.to_vec()).prop_map(|text| Node::Text(text.to_owned()))
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        8 => text(),
        1 => prop::sample::select(&["null", "true", "0", "1e3", "[]", "{}"][..]).prop_map(Node::Other),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        let name = prop::sample::select(&["a", "b", "s", "id", "kind", "x", "", "\u{e9}", "roles"][..]);
        prop_oneof![
            2 => prop::collection::vec(text(), 0..3).prop_map(Node::List),
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(Node::List),
            4 => prop::collection::vec((name.prop_map(str::to_owned), inner), 0..4).prop_map(Node::Map),
        ]
    })
}

fn member() -> impl Strategy<Value = (String, Node)> {
    let names = [
        "scope",
        "a",
        "b",
        "roles",
        "client_id",
        "kind",
        "sub",
        "\u{e9}",
        "e",
        "x",
        "id",
        "s",
        "iss\0",
        "",
        "Scope",
    ];
    let rare = ["iss", "exp", "cnf", "events"];
    let name =
        prop_oneof![12 => prop::sample::select(names.to_vec()), 1 => prop::sample::select(rare.to_vec())];
    (name.prop_map(str::to_owned), node())
}

/// `Other` holds a list or object without members where it says so.
fn plain(node: Node) -> Node {
    match node {
        Node::Other("[]") => Node::List(Vec::new()),
        Node::Other("{}") => Node::Map(Vec::new()),
        Node::List(nodes) => Node::List(nodes.into_iter().map(plain).collect()),
        Node::Map(members) => Node::Map(
            members
                .into_iter()
                .map(|(name, node)| (name, plain(node)))
                .collect(),
        ),
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// J3, T1, AT9: whatever stands in a payload, wherever, however it is written: accepted or refused as by plain
    /// code, and read as by plain code.
    #[test]
    fn claims_are_read_as_plain_code_reads_them(
        members in prop::collection::vec((member(), any::<prop::sample::Index>()), 0..7),
        escapes in prop::collection::vec(prop::bool::weighted(0.3), 1..40),
        fillers in prop_oneof![3 => 0usize..3, 1 => 20usize..40],
        pad in prop_oneof![0usize..20, 500usize..1_100],
    ) {
        let mut claims: Members = vec![
            ("iss".to_owned(), Node::Text(ISSUER.to_owned())),
            ("aud".to_owned(), Node::Text(TokenBuilder::AUDIENCE.to_owned())),
            ("exp".to_owned(), Node::Other("1800000300")),
            ("pad".to_owned(), Node::Text("x".repeat(pad))),
        ];
        assert_eq!(NOW, 1_800_000_000);
        claims.extend((0..fillers).map(|number| (format!("m{number}"), Node::Other("1"))));
        for ((name, node), place) in members {
            let place = place.index(claims.len() + 1);
            claims.insert(place, (name, plain(node)));
        }
        let mut turn = escapes.iter().cycle();
        let json = write(&Node::Map(claims.clone()), &mut || turn.next() == Some(&true));
        let issuer = issuer();
        let verifier = built(builder().issuer(trusted(&issuer).claims(map())));
        let verified = verifier.verify_now(&issuer.token().raw_payload(json.clone()).build());
        prop_assert_eq!(verified.ok().as_ref().map(said), expected(&claims), "{}", json);
    }
}
