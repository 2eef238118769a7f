use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use portcullis_core::{AuditEvent, Ledger};
use portcullis_tower::{LedgerLayer, PublicLayer};
use tower::{Layer, Service, ServiceExt, service_fn};

/// The record, and its place in the extensions of a request that has some already.
const KEPT: u64 = 2;

/// The allocations of one request.
fn allocations<S>(service: &S) -> u64
where
    S: Service<Request<()>, Response = Response<Bytes>, Error = Infallible> + Clone,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let mut counted = 0;
    for _ in 0..3 {
        let mut request = Request::new(());
        // As a server does: the address of the peer, the upgrade.
        request.extensions_mut().insert(7_u8);
        let service = service.clone();
        let info = allocation_counter::measure(|| {
            let answer = runtime.block_on(service.oneshot(request)).expect("infallible");
            assert_eq!(answer.status(), 200);
        });
        counted = info.count_total;
    }
    counted
}

#[test]
fn a_record_costs_two_allocations_and_who_listens_none() {
    let inner = service_fn(async |request: Request<()>| {
        assert!(Ledger::of(request.extensions()).is_none_or(|ledger| ledger.route().is_none()));
        Ok::<_, Infallible>(Response::new(Bytes::from_static(b"ok")))
    });
    let inner = PublicLayer::new().layer(inner);
    let bare = allocations(&inner);
    for layer in [
        LedgerLayer::new(),
        LedgerLayer::report_only(),
        LedgerLayer::audit_only(|_: &AuditEvent<'_>| {}),
    ] {
        let over = allocations(&layer.layer(inner.clone())) - bare;
        assert!((1..=KEPT).contains(&over), "{over}, not {KEPT}: {layer:?}");
    }
    let nested = LedgerLayer::new().layer(LedgerLayer::new().layer(inner));
    assert!(allocations(&nested) - bare <= KEPT, "one record for two layers");
}
