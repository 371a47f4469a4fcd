//! The event stream: at once, with each change, never silent, and over when the engine is.

use futures_util::StreamExt as _;

use super::*;

struct Stream(axum::body::BodyDataStream);

impl Stream {
    async fn open(site: &Site) -> Self {
        let response = site.send(bearer(own("GET", "/api/events")).body(Body::empty()).unwrap()).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(response.into_body().into_data_stream())
    }

    /// The next event, or `None` at the stream's end.
    async fn next(&mut self) -> Option<String> {
        let part = timeout(Duration::from_secs(60), self.0.next()).await.unwrap()?;
        Some(String::from_utf8(part.unwrap().to_vec()).unwrap())
    }
}

fn is_snapshot(event: &str) -> bool {
    event.contains("event: snapshot\n") && event.contains("data: {\"version\":")
}

#[tokio::test(start_paused = true)]
async fn it_begins_with_the_snapshot_and_pings_while_nothing_changes() {
    let site = Site::new();
    let mut stream = Stream::open(&site).await;
    assert!(is_snapshot(&stream.next().await.unwrap()));
    for _ in 0..2 {
        assert_eq!(stream.next().await.unwrap(), "event: ping\ndata: -\n\n");
    }
    site.publish(|next| next.sentence = "Changed.".into());
    let changed = stream.next().await.unwrap();
    assert!(is_snapshot(&changed) && changed.contains("\"sentence\":\"Changed.\""));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_changes_at_once_are_one_event() {
    let site = Site::new();
    let mut stream = Stream::open(&site).await;
    stream.next().await.unwrap();
    for number in 0..100 {
        site.publish(|next| next.sentence = format!("Change {number}."));
    }
    assert!(stream.next().await.unwrap().contains("Change 99."));
    assert!(stream.next().await.unwrap().starts_with("event: ping\n"));
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_engine() {
    let mut site = Site::new();
    let mut stream = Stream::open(&site).await;
    stream.next().await.unwrap();
    site.publisher = None;
    assert_eq!(stream.next().await, None);
}
