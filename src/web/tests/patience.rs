//! How long an answer may take.

use axum::routing::post;

use super::*;
use crate::web::{Shared, guard};

/// What takes that long, behind the front door.
async fn behind_the_door(site: &Site, path: &'static str, seconds: u64) -> Answer {
    let slow = move || async move { tokio::time::sleep(Duration::from_secs(seconds)).await };
    let shared = Shared {
        controls: Arc::clone(&site.fake) as Arc<dyn Controls>,
        access: Arc::new(Access::new(TOKEN, 3030).unwrap()),
        front: None,
        office: None,
        past: None,
    };
    let door = axum::middleware::from_fn_with_state(shared, guard::front_door);
    let router = Router::new().route(path, post(slow)).layer(door);
    let site = Site { router, fake: Arc::clone(&site.fake), publisher: None };
    site.answer(own("POST", path).body(Body::empty()).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn a_step_of_the_first_run_may_take_its_time_and_nothing_else_may() {
    let site = Site::new();
    for (path, seconds, status) in [
        ("/api/setup/billing", 140, StatusCode::OK),
        ("/api/setup/check", 140, StatusCode::OK),
        ("/api/setup/check", 160, StatusCode::GATEWAY_TIMEOUT),
        ("/api/setup/find", 16, StatusCode::GATEWAY_TIMEOUT),
        ("/api/settings/test", 14, StatusCode::OK),
        ("/api/settings/test", 16, StatusCode::GATEWAY_TIMEOUT),
    ] {
        let answer = behind_the_door(&site, path, seconds).await;
        assert_eq!(answer.status, status, "{path}, {seconds} s");
        if status != StatusCode::OK {
            assert_eq!(answer.text, r#"{"error":"ShopSync did not answer in time."}"#);
        }
    }
}
