use super::*;

fn row(pid: i32, code: &str) -> PosProduct {
    PosProduct {
        pid,
        code: Some(code.into()),
        name: Some(format!("Item {code}")),
        hsn: "9608".into(),
        unit: "PCS".into(),
        price: Some(Decimal::from(10)),
        mrp: Some(Decimal::from(12)),
        barcode: "0".into(),
        gst_rate: Some(Decimal::from(18)),
        active: true,
        lot_mrp: None,
        lot_barcode: None,
        stock: Decimal::ONE,
    }
}

fn app(fields: &ProductFields, id: &str) -> AppProduct {
    AppProduct {
        id: RecordId::new(id),
        fields: Some(fields.clone()),
        code: fields.code.clone(),
        barcode: fields.barcode.clone(),
        pos_id: fields.pos_id.clone(),
        active: fields.active,
    }
}

fn phone_product(code: &str, barcode: &str) -> AppProduct {
    AppProduct {
        id: RecordId::new("phone0000000001"),
        fields: None,
        code: code.into(),
        barcode: barcode.into(),
        pos_id: String::new(),
        active: true,
    }
}

fn writes(rows: &[PosProduct], held: &Held) -> Vec<ProductWrite> {
    match plan_products(rows, held) {
        CataloguePlan::Write { writes, .. } => writes,
        other => panic!("{other:?}"),
    }
}

/// Rows as they are to stand in an app that holds nothing yet.
fn wanted(rows: &[PosProduct]) -> Vec<ProductFields> {
    let fields = |write| match write {
        ProductWrite::Create { fields, .. } => fields,
        other => panic!("{other:?}"),
    };
    writes(rows, &Held::default()).into_iter().map(fields).collect()
}

fn problems(rows: &[PosProduct]) -> Vec<String> {
    match plan_products(rows, &Held::default()) {
        CataloguePlan::Write { problems, .. } => problems.into_iter().map(|p| p.sentence).collect(),
        other => panic!("{other:?}"),
    }
}

fn synced(rows: &[PosProduct]) -> Held {
    let mut held = Held::default();
    for write in writes(rows, &held.clone()) {
        held.confirm(&write);
    }
    held
}

#[test]
fn a_pass_without_changes_writes_nothing() {
    let rows = [row(1, "A"), row(2, "B")];
    let held = synced(&rows);
    assert_eq!(writes(&rows, &held), []);
    let wanted = wanted(&rows);
    let read_back: Vec<AppProduct> =
        wanted.iter().map(|fields| app(fields, &record_id(&fields.code).to_string())).collect();
    assert_eq!(Held::from_app(&read_back), held, "what is remembered is what the app holds");
}

#[test]
fn every_field_counts_as_a_change() {
    let held = synced(&[row(1, "A")]);
    let changes: [fn(&mut PosProduct); 10] = [
        |r| r.name = Some("Other".into()),
        |r| r.price = Some(Decimal::from(11)),
        |r| r.mrp = Some(Decimal::from(13)),
        |r| r.lot_mrp = Some(Decimal::from(14)),
        |r| r.barcode = "123".into(),
        |r| r.lot_barcode = Some("456".into()),
        |r| r.stock = Decimal::TWO,
        |r| r.hsn = "1".into(),
        |r| r.unit = "KG".into(),
        |r| r.active = false,
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut changed = row(1, "A");
        change(&mut changed);
        let writes = writes(&[changed], &held);
        assert!(matches!(writes.as_slice(), [ProductWrite::Update { .. }]), "{index}: {writes:?}");
    }
}

#[test]
fn missing_products_go_inactive_once_and_come_back() {
    let held_rows = [row(1, "A"), row(2, "B"), row(3, "C")];
    let mut held = synced(&held_rows);
    let first = writes(&held_rows[..2], &held);
    assert_eq!(first, [ProductWrite::Deactivate { id: record_id("C") }]);
    held.confirm(&first[0]);
    assert_eq!(writes(&held_rows[..2], &held), []);
    assert!(matches!(writes(&held_rows, &held).as_slice(), [ProductWrite::Update { .. }]));
}

#[test]
fn a_phones_own_product_is_left_alone_until_raintek_has_it() {
    let mut held = Held::from_app(&[phone_product("PHONE-1", "890")]);
    assert_eq!(writes(&[], &held), [], "never switched off");
    let mut same_barcode = row(5, "R-5");
    same_barcode.lot_barcode = Some("890".into());
    let link = writes(std::slice::from_ref(&same_barcode), &held);
    let [ProductWrite::Update { id, fields }] = link.as_slice() else { panic!("{link:?}") };
    assert_eq!((id.as_str(), fields.pos_id.as_str()), ("phone0000000001", "5"));
    held.confirm(&link[0]);
    assert_eq!(writes(&[same_barcode], &held), []);

    let held = Held::from_app(&[phone_product("R-6", "")]);
    let link = writes(&[row(6, "R-6")], &held);
    assert!(matches!(link.as_slice(), [ProductWrite::Update { .. }]), "{link:?}");
}

#[test]
fn less_than_half_switches_nothing_off() {
    let rows: Vec<PosProduct> = (1..=10).map(|pid| row(pid, &format!("P{pid}"))).collect();
    let held = synced(&rows);
    assert_eq!(plan_products(&rows[..4], &held), CataloguePlan::Suspicious { shown: 4, known: 10 });
    assert_eq!(plan_products(&[], &held), CataloguePlan::Suspicious { shown: 0, known: 10 });
    assert_eq!(writes(&rows[..5], &held).len(), 5);
}

#[test]
fn bad_rows_are_reported_and_the_rest_flows() {
    let mut no_price = row(3, "C");
    no_price.price = None;
    let mut no_code = row(4, "");
    no_code.code = None;
    let mut barcode = row(5, "E");
    barcode.lot_barcode = Some("890".into());
    let mut same_barcode = row(6, "F");
    same_barcode.barcode = "890 ".into();
    let rows = [row(2, "A"), row(1, "A"), no_price, no_code, barcode, same_barcode];
    assert_eq!(
        problems(&rows),
        [
            "Code A is used by products 1 and 2; only the first is taken.",
            "Product C (Item C) has no usable price.",
            "Product 4 has no code.",
            "Barcode 890 of F is also on E; scanning it finds E.",
        ]
    );
    let held = Held::default();
    let codes: Vec<String> = writes(&rows, &held)
        .into_iter()
        .map(|write| match write {
            ProductWrite::Create { fields, .. } => format!("{}:{}", fields.pos_id, fields.barcode),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, ["1:", "5:890", "6:"]);
}

#[test]
fn a_row_that_breaks_is_not_taken_for_missing() {
    let rows = [row(1, "A"), row(2, "B")];
    let held = synced(&rows);
    let mut broken = row(2, "B");
    broken.price = None;
    assert_eq!(writes(&[row(1, "A"), broken], &held), []);
}

#[test]
fn a_restored_app_heals() {
    let rows = [row(1, "A"), row(2, "B")];
    let wanted = wanted(&rows);
    let mut older = wanted[0].clone();
    older.retail_price = Decimal::from(9);
    let held = Held::from_app(&[app(&older, "rec000000000001")]);
    assert_eq!(writes(&rows, &held).len(), 2);
}

#[test]
fn what_is_remembered_is_not_trusted_where_a_product_would_be_made() {
    let rows = [row(1, "R-1")];
    let held = synced(&rows);
    assert!(!plan_products(&rows, &held).makes_new());
    // RainTek gets what a phone added to the app after it was read.
    let more = [row(1, "R-1"), row(2, "PH-2")];
    assert!(plan_products(&more, &held).makes_new());
    let mut there = match writes(&rows, &Held::default()).remove(0) {
        ProductWrite::Create { id, fields } => vec![app(&fields, id.as_str())],
        other => panic!("{other:?}"),
    };
    there.push(phone_product("PH-2", ""));
    let link = plan_products(&more, &Held::from_app(&there));
    assert!(!link.makes_new());
    let CataloguePlan::Write { writes, .. } = link else { panic!("{link:?}") };
    assert!(
        matches!(writes.as_slice(), [ProductWrite::Update { id, .. }] if id.as_str() == "phone0000000001")
    );
}

fn barcoded(pid: i32, code: &str, barcode: &str) -> PosProduct {
    PosProduct { barcode: barcode.into(), ..row(pid, code) }
}

#[test]
fn a_barcode_that_moves_to_another_code_of_raintek_makes_another_product() {
    let held = Held::from_app(&[app(&wanted(&[barcoded(1, "A", "890")])[0], "rec000000000001")]);
    let moved = writes(&[barcoded(2, "B", "890")], &held);
    let [ProductWrite::Create { fields, .. }, ProductWrite::Deactivate { id }] = moved.as_slice() else {
        panic!("{moved:?}")
    };
    assert_eq!((fields.code.as_str(), id.as_str()), ("B", "rec000000000001"));
}

#[test]
fn a_code_that_a_phone_gave_is_free_once_its_product_is_linked_by_barcode() {
    let mut held = Held::from_app(&[phone_product("PHONE-1", "890")]);
    let linked = barcoded(5, "R-5", "890");
    held.confirm(&writes(std::slice::from_ref(&linked), &held)[0]);
    // RainTek gets a product of that very code.
    let next = writes(&[linked, row(6, "PHONE-1")], &held);
    assert!(matches!(next.as_slice(), [ProductWrite::Create { .. }]), "never one record for two: {next:?}");
}

#[test]
fn a_phones_product_keeps_its_code_while_another_has_its_barcode() {
    let mut held = Held::from_app(&[
        app(&wanted(&[row(5, "R-5")])[0], "rec000000000005"),
        phone_product("PHONE-1", "890"),
    ]);
    let with_barcode = barcoded(5, "R-5", "890");
    held.confirm(&writes(std::slice::from_ref(&with_barcode), &held)[0]);
    let link = writes(&[with_barcode, row(6, "PHONE-1")], &held);
    assert!(
        matches!(link.as_slice(), [ProductWrite::Update { id, .. }] if id.as_str() == "phone0000000001"),
        "{link:?}"
    );
}

#[test]
fn a_phones_product_is_linked_to_one_of_raintek_only() {
    // Two phones gave one code to two things.
    let held = Held::from_app(&[phone_product("NEW", "890"), phone_product("NEW", "891")]);
    let writes = writes(&[barcoded(5, "R-5", "890"), barcoded(6, "R-6", "891")], &held);
    assert!(
        matches!(writes.as_slice(), [ProductWrite::Update { .. }, ProductWrite::Create { .. }]),
        "{writes:?}"
    );
}

#[test]
fn rows_are_counted_whether_they_are_usable_or_not() {
    let held = Held::default();
    let mut comparison = Comparison::new(&held);
    [row(1, "A"), row(2, ""), row(3, "C")].iter().for_each(|row| comparison.take(row));
    assert_eq!(comparison.shown(), 3);
}

#[test]
fn an_mrp_beyond_all_columns_is_reported_and_left_out() {
    let priced = |mrp| PosProduct { mrp: Some(mrp), ..row(1, "A") };
    let largest = largest(MONEY_SCALE);
    assert_eq!(problems(&[priced(largest)]), Vec::<String>::new());
    assert_eq!(wanted(&[priced(largest)])[0].mrp, largest);
    let beyond = priced(largest + Decimal::ONE);
    assert_eq!(problems(std::slice::from_ref(&beyond)), ["Product A (Item A) has no usable MRP."]);
    assert_eq!(wanted(&[beyond])[0].mrp, Decimal::ZERO);
}

#[test]
fn a_price_or_rate_that_the_app_cannot_hold_is_reported() {
    let largest = largest(MONEY_SCALE);
    for price in [Decimal::ZERO, Decimal::new(1005, 2), largest] {
        assert_eq!(wanted(&[PosProduct { price: Some(price), ..row(1, "A") }])[0].retail_price, price);
    }
    for price in [Decimal::NEGATIVE_ONE, Decimal::new(10_005, 3), largest + Decimal::ONE] {
        let told = problems(&[PosProduct { price: Some(price), ..row(1, "A") }]);
        assert_eq!(told, ["Product A (Item A) has no usable price."], "{price}");
    }
    for rate in [Decimal::NEGATIVE_ONE, Decimal::new(1_800_001, 5), Decimal::from(1001)] {
        let told = problems(&[PosProduct { gst_rate: Some(rate), ..row(1, "A") }]);
        assert_eq!(told, ["Product A (Item A) has no usable GST rate."], "{rate}");
    }
}
