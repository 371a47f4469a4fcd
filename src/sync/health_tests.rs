use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

/// All well and proven at second 100.
fn well() -> Looks {
    let leg = Leg { last_ok: Some(at(95)), failing_since: None, sentence: String::new() };
    Looks {
        now: at(100),
        started: at(0),
        zone: Tz::Asia__Kolkata,
        raintek: leg.clone(),
        billing: leg.clone(),
        invoices: leg.clone(),
        products: leg.clone(),
        bills: leg,
        bills_fresh: TimeDelta::seconds(660),
        mismatch: None,
        products_fresh: TimeDelta::seconds(660),
        realtime_down_since: None,
        counts: Counts::default(),
        oldest_waiting: None,
        oldest_failure: None,
        retrying: 0,
        held: None,
        sending: 0,
        paused_until: None,
        backup: None,
        schema_hold: None,
        first_backup: false,
        store: Leg::default(),
        problems: Vec::new(),
    }
}

fn state(looks: &Looks) -> HealthState {
    assess(looks).state
}

fn lost(since: i64) -> Leg {
    Leg { last_ok: Some(at(since)), failing_since: Some(at(since)), sentence: "Gone.".into() }
}

#[test]
fn green_only_when_every_leg_is_proven_since_the_start() {
    assert_eq!(state(&well()), HealthState::InStep);
    let break_leg: [fn(&mut Looks) -> &mut Leg; 5] =
        [|l| &mut l.raintek, |l| &mut l.billing, |l| &mut l.invoices, |l| &mut l.products, |l| &mut l.bills];
    for leg in break_leg {
        let mut looks = well();
        leg(&mut looks).last_ok = None;
        assert_eq!(state(&looks), HealthState::Starting);
        leg(&mut looks).last_ok = Some(at(-1));
        assert_eq!(state(&looks), HealthState::Starting, "proof from before the start is none");
    }
}

#[test]
fn trouble_at_the_first_look_is_said_at_once() {
    let mut looks = well();
    looks.raintek =
        Leg { last_ok: None, failing_since: Some(at(99)), sentence: "The login is refused.".into() };
    let verdict = assess(&looks);
    assert_eq!((verdict.state, verdict.sentence.as_str()), (HealthState::Starting, "The login is refused."));
}

#[test]
fn a_stale_look_is_never_green() {
    for seconds in [400, 4000] {
        let mut looks = well();
        looks.now = at(seconds);
        assert_eq!(state(&looks), HealthState::Attention, "{seconds}");
    }
}

#[test]
fn a_lost_side_is_amber_then_red() {
    let mut looks = well();
    looks.raintek = lost(70);
    assert_eq!(state(&looks), HealthState::Attention);
    looks.raintek = lost(30);
    looks.counts.waiting = 7;
    let verdict = assess(&looks);
    assert_eq!(verdict.state, HealthState::Failing);
    assert!(verdict.sentence.contains("7 invoices wait"), "{}", verdict.sentence);
    let mut looks = well();
    looks.billing = lost(30);
    assert_eq!(state(&looks), HealthState::Failing);
}

#[test]
fn precedence_is_red_amber_paused_starting_working_green() {
    let mut looks = well();
    looks.counts.waiting = 2;
    looks.oldest_waiting = Some(at(99));
    assert_eq!(state(&looks), HealthState::Working);
    looks.products.last_ok = None;
    assert_eq!(state(&looks), HealthState::Starting);
    looks.paused_until = Some(at(1000));
    assert_eq!(state(&looks), HealthState::Paused);
    looks.counts.held = 1;
    looks.held = Some(("GST-0151".into(), "Item is not in RainTek.".into()));
    assert_eq!(state(&looks), HealthState::Attention);
    assert!(assess(&looks).sentence.contains("GST-0151"));
    looks.raintek = lost(0);
    assert_eq!(state(&looks), HealthState::Failing);
}

#[test]
fn late_retrying_and_day_old_failures_show() {
    let mut looks = well();
    looks.counts.waiting = 1;
    looks.oldest_waiting = Some(at(-30));
    assert_eq!(state(&looks), HealthState::Attention);
    let mut looks = well();
    looks.retrying = 1;
    assert_eq!(state(&looks), HealthState::Attention);
    looks.oldest_failure = Some(at(100) - FAILING);
    assert_eq!(state(&looks), HealthState::Failing);
    let mut looks = well();
    looks.realtime_down_since = Some(at(100) - QUIET);
    assert_eq!(state(&looks), HealthState::Attention);
}

#[test]
fn a_flow_that_holds_says_why() {
    let mut looks = well();
    looks.products.failing_since = Some(at(99));
    looks.products.sentence = "RainTek shows 3 products of 500.".into();
    let verdict = assess(&looks);
    assert_eq!(
        (verdict.state, verdict.sentence.as_str()),
        (HealthState::Attention, "RainTek shows 3 products of 500.")
    );
}

#[test]
fn the_summary_counts_today() {
    let counts = Counts { done_today: 142, seen_today: 143, ..Counts::default() };
    assert_eq!(
        summary(&counts, Some(("GST-0143", at(0))), at(130)),
        "142 of 143 invoices of today are in RainTek. Last: GST-0143, 2 min ago."
    );
}

#[test]
fn backups_are_amber_at_most_and_the_days_first_is_work() {
    let mut looks = well();
    looks.first_backup = true;
    assert_eq!(state(&looks), HealthState::Working);
    looks.backup = Some("The backup of RainTek failed.".into());
    assert_eq!(assess(&looks).sentence, "The backup of RainTek failed.");
    assert_eq!(state(&looks), HealthState::Attention);
    looks.schema_hold = Some("RainTek's tables changed.".into());
    assert_eq!(assess(&looks).sentence, "RainTek's tables changed.");
}

#[test]
fn what_is_set_and_cannot_be_done_is_said_behind_everything_else() {
    let sentence = "Stock is not posted: RainTek's database has no table StockMovement.";
    let mut looks = Looks { problems: vec![sentence.into()], ..well() };
    assert_eq!(assess(&looks), Verdict { state: HealthState::Attention, sentence: sentence.into() });
    looks.held = Some(("GST-0151".into(), "No lines.".into()));
    looks.counts.held = 1;
    assert_eq!(assess(&looks).sentence, "1 invoice needs you: GST-0151. No lines.");
}

#[test]
fn a_store_that_takes_nothing_is_amber_at_once_and_red_past_its_grace() {
    let mut looks = well();
    looks.store = lost(95);
    looks.store.sentence = "The disk is full: ShopSync cannot store anything.".into();
    looks.counts.waiting = 2;
    let verdict = assess(&looks);
    assert_eq!(verdict.state, HealthState::Attention);
    assert!(verdict.sentence.starts_with("The disk is full"), "{}", verdict.sentence);
    assert!(verdict.sentence.ends_with("2 invoices wait and go by themselves then."), "{}", verdict.sentence);
    looks.store.failing_since = Some(at(40));
    let verdict = assess(&looks);
    assert_eq!(verdict.state, HealthState::Failing);
    assert!(verdict.sentence.starts_with("The disk is full"), "{}", verdict.sentence);
}

#[test]
fn a_pause_ends_when_it_said_it_would() {
    let mut looks = well();
    looks.paused_until = Some(at(101));
    assert_eq!(
        assess(&looks),
        Verdict { state: HealthState::Paused, sentence: "Paused until 13:31.".into() }
    );
    looks.paused_until = Some(at(100));
    assert_eq!(state(&looks), HealthState::InStep);
}

#[test]
fn what_waits_because_somebody_paused_is_not_late() {
    let mut looks = well();
    looks.counts.waiting = 1;
    looks.oldest_waiting = Some(at(100) - LATE);
    assert_eq!(assess(&looks).sentence, "An invoice has been waiting for 2 min.");
    looks.paused_until = Some(at(1000));
    assert_eq!(state(&looks), HealthState::Paused);
    looks.paused_until = Some(at(100));
    assert_eq!(state(&looks), HealthState::Attention, "the pause is over");
}

#[test]
fn trouble_without_a_word_is_never_an_empty_sentence() {
    let mut looks = well();
    looks.raintek = Leg { last_ok: None, failing_since: Some(at(99)), sentence: String::new() };
    assert_eq!(assess(&looks).sentence, "Looking at both sides.");
    let mut looks = well();
    looks.products.failing_since = Some(at(99));
    assert_eq!(assess(&looks).sentence, "Everything is in step.");
}

#[test]
fn a_flow_that_works_again_says_nothing_of_what_it_said() {
    let mut looks = well();
    looks.products.sentence = "RainTek shows 3 products of 500.".into();
    assert_eq!(state(&looks), HealthState::InStep);
}

#[test]
fn a_look_may_be_as_old_as_two_periods_and_a_minute() {
    let mut looks = well();
    looks.now = looks.products.last_ok.unwrap() + FRESH + GRACE;
    assert_eq!(state(&looks), HealthState::InStep);
    looks.now += TimeDelta::seconds(1);
    assert_eq!(assess(&looks).sentence, "The last look at invoices is 3 min old. Trying again.");
}

#[test]
fn a_sentence_says_since_when_in_the_shops_time() {
    let mut looks = well();
    looks.raintek = lost(30);
    assert_eq!(assess(&looks).sentence, "Gone. Since 13:30. Nothing waits.");
    let mut looks = well();
    looks.oldest_failure = Some(at(100) - FAILING);
    assert_eq!(
        assess(&looks).sentence,
        "An invoice has not reached RainTek since 14 Jan 13:31. The list under Today says why."
    );
}
