//! Health is public: nothing that may be wrong with credentials or their issuer takes it away.

use futures_util::StreamExt;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::calls::{Call, bearer, with};
use crate::support::{Api, EVERY_SCOPE};

const SERVING: i32 = 1;

fn request(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

#[tokio::test]
async fn a_probe_is_answered_whatever_it_sends_and_whoever_is_down() {
    for api in [Api::start().await, Api::start_without_issuer().await] {
        let good = bearer(&api.token("alice", EVERY_SCOPE));
        let expired = bearer(&api.issuer.issuer().token().lifetime(-60).build());
        for credentials in [&[][..], &["Bearer garbage"], &[&expired], &[&good, &good]] {
            let mut health = HealthClient::new(api.channel.clone());
            let answer = health.check(with(request(""), credentials)).await;
            assert_eq!(answer.expect("public").into_inner().status, SERVING);
            let other = Call::Get.code(&api.channel, credentials).await;
            assert_ne!(other, Code::Ok, "{credentials:?}");
        }
    }
}

#[tokio::test]
async fn both_services_are_reported_by_name_and_the_watch_is_public_too() {
    let api = Api::start().await;
    let mut health = HealthClient::new(api.channel.clone());
    for (service, expected) in [
        ("portcullis.example.v1.Documents", Ok(SERVING)),
        ("portcullis.example.v1.Account", Ok(SERVING)),
        ("portcullis.example.v1.Other", Err(Code::NotFound)),
    ] {
        let answer = health.check(request(service)).await;
        let found = answer
            .map(|answer| answer.into_inner().status)
            .map_err(|status| status.code());
        assert_eq!(found, expected, "{service}");
    }
    let mut watch = health.watch(request("")).await.expect("public").into_inner();
    let first = watch.next().await.expect("a message").expect("no refusal");
    assert_eq!(first.status, SERVING);
}

/// A path that no service has is guarded as well: it says nothing to strangers.
#[tokio::test]
async fn what_does_not_exist_is_told_to_callers_only() {
    let api = Api::start().await;
    let good = bearer(&api.token("alice", EVERY_SCOPE));
    for (credentials, expected) in [
        (&[][..], Code::Unauthenticated),
        (&[&*good][..], Code::Unimplemented),
    ] {
        for path in ["/portcullis.example.v1.Documents/Burn", "/other.Service/Method"] {
            let mut client = tonic::client::Grpc::new(api.channel.clone());
            client.ready().await.expect("connected");
            let codec = tonic_prost::ProstCodec::<HealthCheckRequest, HealthCheckRequest>::default();
            let path = http::uri::PathAndQuery::from_static(path);
            let answer = client.unary(with(request(""), credentials), path, codec).await;
            assert_eq!(answer.expect_err("nothing there").code(), expected);
        }
    }
}
