//! What monitors, Prometheus and the page get, to the letter.

use super::*;

#[tokio::test]
async fn health_is_what_was_agreed() {
    let answer = Site::new().get("/health").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let pretty: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    let expected: serde_json::Value = serde_json::from_str(include_str!("health.json")).unwrap();
    assert_eq!(pretty, expected, "{}", serde_json::to_string_pretty(&pretty).unwrap());
}

#[tokio::test]
async fn metrics_are_what_was_agreed() {
    let answer = Site::new().get("/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(answer.text, include_str!("metrics.txt"), "{}", answer.text);
}

#[tokio::test]
async fn every_sample_belongs_to_the_family_named_above_it() {
    let text = Site::new().get("/metrics").await.text;
    assert!(text.ends_with('\n'));
    let mut family = String::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("#") => {
                let kind = words.next().unwrap();
                assert!(kind == "HELP" || kind == "TYPE");
                family = words.next().unwrap().to_owned();
            }
            Some(sample) => {
                assert_eq!(sample.split('{').next().unwrap(), family);
                assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
            }
            None => panic!("an empty line"),
        }
    }
}

#[tokio::test]
async fn what_is_not_known_has_no_sample() {
    let site = Site::new();
    site.publish(|next| {
        next.last_push = None;
        next.raintek = LinkStatus::default();
        next.products.last_pass = None;
    });
    let text = site.get("/metrics").await.text;
    for unknown in ["last_push_timestamp", "last_push_duration", "last_products_pass_timestamp"] {
        assert!(!text.contains(&format!("\nshopsync_{unknown}_seconds ")), "{unknown}");
    }
    assert!(!text.contains("link_latency_seconds{side=\"raintek\"}"));
    assert!(text.contains("shopsync_link_up{side=\"raintek\"} 0"));
}

#[tokio::test]
async fn neither_tells_of_customers_invoices_or_servers() {
    let site = Site::new();
    for path in ["/health", "/metrics"] {
        let text = site.get(path).await.text;
        for private in
            ["Asha", "GST-", "Blue pen", "Secret pen", "SQLEXPRESS", "8090", "secret-server-detail", TOKEN]
        {
            assert!(!text.contains(private), "{path} tells {private}");
        }
    }
}

#[tokio::test]
async fn only_failing_is_503() {
    let site = Site::new();
    for (state, status) in [
        (HealthState::Starting, 200),
        (HealthState::InStep, 200),
        (HealthState::Working, 200),
        (HealthState::Attention, 200),
        (HealthState::Failing, 503),
        (HealthState::Paused, 200),
    ] {
        site.publish(|next| next.state = state);
        let answer = site.get("/health").await;
        assert_eq!(answer.status.as_u16(), status, "{state:?}");
        assert!(answer.text.contains(&format!("\"state\":\"{}\"", state.name())));
    }
}

#[tokio::test]
async fn without_an_engine_nothing_is_well() {
    let mut site = Site::new();
    site.publish(|next| next.state = HealthState::InStep);
    site.publisher = None;
    let health = site.get("/health").await;
    assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(health.text.contains("\"state\":\"failing\"") && health.text.contains("engine has stopped"));
    let metrics = site.get("/metrics").await.text;
    assert!(metrics.contains("shopsync_engine_up 0") && metrics.contains("{state=\"in_step\"} 0"));
    assert!(metrics.contains("{state=\"failing\"} 1") && metrics.contains("link_up{side=\"billing\"} 0"));
    for path in ["/api/status", "/api/events"] {
        assert_eq!(site.get_with_token(path).await.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}

#[tokio::test]
async fn status_is_the_snapshot() {
    let answer = Site::new().get_with_token("/api/status").await;
    assert_eq!(serde_json::from_str::<Snapshot>(&answer.text).unwrap(), snapshot());
}
