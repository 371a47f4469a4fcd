//! Shortly after midnight in the shop it is still yesterday in UTC, and PocketBase stores UTC.

use chrono::NaiveDate;

use crate::harness::rows::assert_booked;
use crate::harness::{Bill, Shop};

#[tokio::test]
async fn vzone() {
    let shop = Shop::open(2).await;
    let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap();
    let cases = [
        // 00:10 on 1 April in Kolkata: a new day, month and financial year.
        ("GST-0001-2026/27", "2026-03-31T18:40:00.000Z", day(4, 1)),
        // 23:50 on 31 March in Kolkata.
        ("GST-0900-2025/26", "2026-03-31 18:20:00.000Z", day(3, 31)),
        // Exactly midnight in UTC is a plain date, and stays that day.
        ("GST-0901-2025/26", "2026-03-31 00:00:00.000Z", day(3, 31)),
        ("GST-0002-2026/27", "2026-04-01 00:00:00.000Z", day(4, 1)),
        // Midnight in Kolkata, as an app writes it that turns its own midnight into UTC.
        ("GST-0003-2026/27", "2026-03-31 18:30:00.000Z", day(4, 1)),
    ];
    let mut sent = Vec::new();
    for (number, date, day) in cases {
        let mut bill = Bill::plain(number);
        bill.date = date.into();
        bill.day = day;
        let id = bill.send(&shop).await;
        sent.push((bill, id));
    }
    for (bill, id) in sent {
        let record = shop.synced(&id).await;
        assert_booked(&shop.raintek.dump().await, &bill, &record, 1);
    }
}
