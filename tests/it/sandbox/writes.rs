//! AFAS is written to: validation, rules, numbers, duplicates.

use reqwest::Method;
use serde_json::{Value, json};

use super::{World, advice, company, options, order};

#[tokio::test]
async fn an_order_shows_with_its_totals_and_its_number_is_taken_once() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let (status, answer) = world.write(Method::POST, "FbSales", order(&debtor, "J1", &advice())).await;
    assert_eq!((status, &answer["results"]["FbSales"]["OrNu"]), (201, &json!("J1")), "{answer}");
    let rows = world
        .read(
            "Profit_Salesorders",
            &[("filterfieldids", "OrderNumber"), ("filtervalues", "j1"), ("operatortypes", "1")],
        )
        .await;
    assert_eq!(rows[0]["InvoiceTotal"].to_string(), "217.8");
    assert_eq!(rows[0]["VAT"].to_string(), "37.8");
    assert_eq!(rows[0]["CustomerReference"], "2026-J1");
    let lines = world.read("Profit_SalesorderLines", &[]).await;
    assert_eq!((lines.len(), &lines[0]["ItemCodeId"]), (1, &json!("ADV")));
    let text = world.refused("FbSales", order(&debtor, "J1", &advice())).await;
    assert_eq!(text, "Number J1 already exists.");
    let effects = world.effects().await;
    assert_eq!(effects["afas"]["FbSales"]["count"], 1);
    assert_eq!(effects["afas"]["FbSales"]["duplicates"], json!([]));
}

#[tokio::test]
async fn a_refused_body_leaves_nothing_behind() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let lines = json!([advice()[0], {"Fields": {"VaIt": "2", "ItCd": "NIETS", "BiUn": "STK", "QuUn": 1}}]);
    let text = world.refused("FbSales", order(&debtor, "J2", &lines)).await;
    assert_eq!(text, "The value 'NIETS' for 'Itemcode' does not exist.");
    assert!(world.read("Profit_Salesorders", &[]).await.is_empty());
    assert!(world.read("Profit_SalesorderLines", &[]).await.is_empty());
}

#[tokio::test]
async fn bodies_are_judged_by_the_files_of_the_vendor() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let with = |name: &str, value: Value| {
        let mut body = order(&debtor, "J3", &advice());
        body["FbSales"]["Element"]["Fields"][name] = value;
        body
    };
    let cases = [
        (with("DbId", Value::Null), "Enter a value for 'Sales contact'."),
        (
            with("OrNu", json!("J234567890123")),
            "The value for 'Number' is too long: at most 12 characters are allowed.",
        ),
        (with("OrDa", json!("14-03-2026")), "The value '14-03-2026' for 'Date' is not valid."),
        (with("Nothing", json!("x")), "'Nothing' does not exist in object 'FbSales'."),
        (with("DeCo", json!("9")), "The value '9' for 'Delivery conditions' does not exist."),
        (with("PaCd", json!("45")), "The value '45' for 'Payment condition' does not exist."),
        (with("Unit", Value::Null), "Enter a value for 'Administration'."),
        (with("DbId", json!("1")), "The value '1' for 'Sales contact' does not exist."),
    ];
    for (body, text) in cases {
        assert_eq!(world.refused("FbSales", body).await, text);
    }
    let mut unit = order(&debtor, "J3", &advice());
    unit["FbSales"]["Element"]["Objects"][0]["FbSalesLines"]["Element"][0]["Fields"]["BiUn"] = json!("STK");
    assert_eq!(world.refused("FbSales", unit).await, "The value 'STK' for 'Unit' does not exist.");
}

#[tokio::test]
async fn what_was_refused_is_told_with_who_refused_it() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let mut unknown = order(&debtor, "J4", &advice());
    unknown["FbSales"]["Element"]["Fields"]["Nothing"] = json!("x");
    world.refused("FbSales", unknown).await;
    world.refused("FbSales", order("12345", "J5", &advice())).await;
    // Codes that an administration makes for itself are no matter of the file.
    let mut own_code = order(&debtor, "J6", &advice());
    own_code["FbSales"]["Element"]["Fields"]["SaCh"] = json!("X");
    world.refused("FbSales", own_code).await;
    let nameless = world.jortt(Method::POST, "/v1/customers").json(&json!({"is_private": false})).send().await.unwrap();
    assert_eq!(nameless.status(), 422);
    let effects = world.effects().await;
    assert_eq!(
        effects["afas"]["FbSales"]["refused"],
        json!([
            {"by": "schema", "message": "'Nothing' does not exist in object 'FbSales'."},
            {"by": "books", "message": "The value '12345' for 'Sales contact' does not exist."},
            {"by": "books", "message": "The value 'X' for 'Sales channel' does not exist."},
        ])
    );
    assert_eq!(
        effects["jortt"]["customers"]["refused"],
        json!([{"by": "schema", "message": "The parameters are invalid, customer_name"}])
    );
}

#[tokio::test]
async fn all_forms_of_the_envelope_are_taken() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let body = json!({"FbSales": {"Element": [{
        "@OrNu": "J4",
        "Fields": {"DbId": debtor, "Unit": "1", "InVa": "1"},
        "Objects": {"FbSalesLines": {"Element": {"Fields":
            {"VaIt": "art", "ItCd": "BROOD", "BiUn": "STK", "QuUn": "2", "Upri": "10.90"}
        }}}
    }]}});
    let (status, answer) = world.write(Method::POST, "fbsales", body).await;
    assert_eq!(status, 201, "{answer}");
    let rows = world.read("Profit_Salesorders", &[]).await;
    assert_eq!((rows[0]["InvoiceTotal"].to_string(), rows[0]["TotalAmount"].to_string()), ("21.8".into(), "20".into()));
}

#[tokio::test]
async fn a_new_debtor_is_found_by_its_work_email_only() {
    let world = World::new(options()).await;
    let (status, answer) = world.write(Method::POST, "KnSalesRelationOrg", company("nieuw@bedrijf.example")).await;
    assert_eq!(status, 201, "{answer}");
    let key = &answer["results"]["KnSalesRelationOrg"]["DbId"];
    let world = &world;
    let find = |email: &'static str| async move {
        world
            .read("Profit_Debtor", &[("filterfieldids", "Email"), ("filtervalues", email), ("operatortypes", "1")])
            .await
    };
    let rows = find("NIEUW@bedrijf.example").await;
    assert_eq!(&rows[0]["DebtorId"], key);
    assert_eq!(rows[0]["AdressLine1"], "Meir 24a");
    assert_eq!(rows[0]["AdressLine3"], "2000  Antwerpen");
    assert_eq!(rows[0]["AdressLine4"], "België");

    let trap = json!({"KnSalesRelationPer": {"Element": {
        "Fields": {"IsDb": true, "CuId": "EUR", "PaCd": "30", "ColA": "1300"},
        "Objects": [{"KnPerson": {"Element": [{"Fields": {
            "PadAdr": true, "AutoNum": true, "MatchPer": "7", "FiNm": "Anne", "Is": "van der", "LaNm": "Visser",
            "EmA2": "prive@bedrijf.example"
        }}]}}]
    }}});
    let (status, answer) = world.write(Method::POST, "KnSalesRelationPer", trap).await;
    assert_eq!(status, 201, "{answer}");
    assert!(find("prive@bedrijf.example").await.is_empty());

    world.write(Method::POST, "KnSalesRelationOrg", company("Nieuw@Bedrijf.example")).await;
    let effects = world.effects().await;
    assert_eq!(effects["afas"]["KnSalesRelationOrg"]["count"], 2);
    let duplicates = effects["afas"]["KnSalesRelationOrg"]["duplicates"].as_array().unwrap();
    assert_eq!((duplicates.len(), &duplicates[0]["by"]), (1, &json!("e-mail")));
}

#[tokio::test]
async fn a_put_changes_only_what_is_sent() {
    let world = World::new(options()).await;
    let (_, answer) = world.write(Method::POST, "KnSalesRelationOrg", company("put@bedrijf.example")).await;
    let key = answer["results"]["KnSalesRelationOrg"]["DbId"].clone();
    let change = |fields: Value| {
        json!({"KnSalesRelationOrg": {"Element": {
            "@DbId": key, "Fields": {"PaCd": "14"}, "Objects": [{"KnOrganisation": {"Element": [{"Fields": fields}]}}]
        }}})
    };
    let (status, answer) =
        world.write(Method::PUT, "KnSalesRelationOrg", change(json!({"MatchOga": "9", "TeNr": "0201234567"}))).await;
    assert_eq!(status, 201, "{answer}");
    let row = world
        .read("Profit_Debtor", &[("filterfieldids", "DebtorId"), ("filtervalues", key.as_str().unwrap())])
        .await
        .remove(0);
    assert_eq!((&row["PayCon"], &row["TelNr"]), (&json!("14"), &json!("0201234567")));
    assert_eq!((&row["Email"], &row["DebtorName"]), (&json!("put@bedrijf.example"), &json!("Nieuw B.V.")));
    let (status, answer) = world.write(Method::PUT, "KnSalesRelationOrg", change(json!({"TeNr": "1"}))).await;
    assert_eq!((status, &answer["externalMessage"]), (500, &json!("Enter a value for 'Organisatie vergelijken op'.")));
    assert_eq!(world.effects().await["afas"]["KnSalesRelationOrg"]["updated"], 1);
}

#[tokio::test]
async fn the_lines_of_an_order_are_changed_by_their_guid_and_not_doubled() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    world.write(Method::POST, "FbSales", order(&debtor, "J7", &advice())).await;
    let guid = world.read("Profit_SalesorderLines", &[]).await[0]["LineGuid"].clone();
    let body = json!({"FbSales": {"Element": {
        "Fields": {"OrNu": "J7"},
        "Objects": [{"FbSalesLines": {"Element": [{"Fields": {"GuLi": guid, "QuUn": 3}}]}}]
    }}});
    let (status, answer) = world.write(Method::PUT, "FbSales", body).await;
    assert_eq!(status, 201, "{answer}");
    let lines = world.read("Profit_SalesorderLines", &[]).await;
    assert_eq!((lines.len(), lines[0]["AmtTotal"].to_string()), (1, "270".to_owned()));
    let quantity = |quantity: &str| {
        let line = json!([{"Fields": {"GuLi": guid, "QuUn": quantity}}]);
        json!({"FbSales": {"Element": {"Fields": {"OrNu": "J7"}, "Objects": [{"FbSalesLines": {"Element": line}}]}}})
    };
    assert_eq!(world.write(Method::PUT, "FbSales", quantity("2.00001")).await.0, 201);
    let (status, answer) = world.write(Method::PUT, "FbSales", quantity("2.000001")).await;
    assert_eq!(status, 500);
    assert!(answer["externalMessage"].as_str().unwrap().contains("too many decimals"), "{answer}");
    let more = json!({"FbSales": {"Element": {
        "@OrNu": "J7",
        "Objects": [{"FbSalesLines": {"Element": [{"Fields":
            {"VaIt": "2", "ItCd": "BROOD", "BiUn": "STK", "QuUn": 1, "Upri": 10}}]}}]
    }}});
    let (status, answer) = world.write(Method::POST, "FbSales/FbSalesLines", more).await;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(world.read("Profit_SalesorderLines", &[]).await.len(), 2);
    let gone = world.afas(Method::DELETE, "/connectors/FbSales/FbSales/@OrNu/J7").send().await.unwrap();
    assert_eq!(gone.status(), 200);
    assert!(world.read("Profit_SalesorderLines", &[]).await.is_empty());
}

#[tokio::test]
async fn other_duties_and_discounts_change_the_total() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let mut shifted = order(&debtor, "J8", &advice());
    shifted["FbSales"]["Element"]["Fields"]["VaDu"] = json!("3");
    shifted["FbSales"]["Element"]["Fields"]["InPc"] = json!(10);
    world.write(Method::POST, "FbSales", shifted).await;
    let row = world.read("Profit_Salesorders", &[]).await.remove(0);
    assert_eq!((row["InvoiceTotal"].to_string(), row["VAT"].to_string()), ("162".to_owned(), "0".to_owned()));
    assert_eq!((row["Gross"].to_string(), row["Discount"].to_string()), ("180".to_owned(), "18".to_owned()));
}

fn entry(period: u8, vat: &str) -> Value {
    let line = |fields: Value| {
        let mut whole = json!({"EnDa": "2026-03-14", "BpDa": "2026-03-14", "InId": "2026-0042"});
        whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({ "Fields": whole })
    };
    json!({"FiEntries": 0, "FiEntryPar": {"Element": {
        "Fields": {"Year": 2026, "Peri": period, "UnId": 1, "JoCo": "VERK", "AuNu": false},
        "Objects": [{"FiEntries": {"Element": [
            line(json!({"VaAs": "2", "AcNr": "DEBTOR", "AmDe": "217.80"})),
            line(json!({"VaAs": "1", "AcNr": "8000", "AmCr": "180.00", "VaId": "1"})),
            line(json!({"VaAs": "1", "AcNr": "1500", "AmCr": vat, "VaId": "1"}))
        ]}}]
    }}})
}

#[tokio::test]
async fn an_entry_balances_and_is_answered_in_three_forms() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let body = |period: u8, vat: &str| -> Value {
        let mut body = entry(period, vat);
        body.as_object_mut().unwrap().remove("FiEntries");
        serde_json::from_str(&body.to_string().replace("DEBTOR", &debtor)).unwrap()
    };
    let text = world.refused("FiEntries", body(3, "37.81")).await;
    assert_eq!(text, "Debit and credit are not equal: the difference is -0.01.");
    assert_eq!(world.refused("FiEntries", body(4, "37.80")).await, "The date of the entry is not in the period.");
    let mut forms = Vec::new();
    for _ in 0..3 {
        let (status, answer) = world.write(Method::POST, "FiEntries", body(3, "37.80")).await;
        assert_eq!(status, 201, "{answer}");
        forms.push(answer);
    }
    assert!(forms[0]["results"]["FiEntries"]["InID"].is_string());
    assert!(forms[1]["results"]["FiEntryPar"]["EnNo"].is_string());
    assert!(forms[2]["FiEntryPar"]["EnNo"].is_string());
    assert_eq!(world.read("Profit_Transactions", &[]).await.len(), 9);
    let open = world.read("Profit_Debtor_Invoices", &[]).await;
    let of_this: Vec<String> = open
        .iter()
        .filter(|row| row["DebtorId"] == *debtor && row["Description"] != "Jortt")
        .map(|row| row["Balance"].to_string())
        .collect();
    assert_eq!(of_this, ["653.4"]);
    assert_eq!(world.effects().await["afas"]["FiEntries"]["duplicates"].as_array().unwrap().len(), 2);
    world
        .control(
            "records",
            json!({"afas": {"Profit_periods_per_administration": [
                {"Unit": 1, "Year": 2026, "Period": 3, "Blocked": true}
            ]}}),
        )
        .await;
    assert_eq!(world.refused("FiEntries", body(3, "37.80")).await, "The date belongs to a blocked period.");
}

#[tokio::test]
async fn articles_are_made_once_and_stock_goes_down_with_a_note() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let article = |code: &str| {
        json!({"FbItemArticle": {"Element": {"Fields":
            {"ItCd": code, "Ds": "Taart", "Grp": "BAK", "BiUn": "STK", "VaRc": "2", "BiSt": true}}}})
    };
    let (status, answer) = world.write(Method::POST, "FbItemArticle", article("TAART")).await;
    assert_eq!((status, &answer["results"]["FbItemArticle"]["ItCd"]), (201, &json!("TAART")));
    assert_eq!(world.refused("FbItemArticle", article("taart")).await, "Number taart already exists.");
    let mutation = json!({"FbStockMutation": {"Element": {"Fields": {
        "VaOt": "41", "ReId": "JORTT", "VaIt": "2", "ItCd": "TAART", "War": "*****", "Loc": "*****", "BiUn": "STK",
        "QuUn": 8, "Da": "2026-03-14"
    }}}});
    let (status, answer) = world.write(Method::POST, "FbStockMutation", mutation).await;
    assert_eq!((status, answer), (201, Value::Null));
    let note = json!({"FbDeliveryNote": {"Element": {
        "Fields": {"OrNu": "J9", "DbId": debtor, "Unit": 1, "RdDe": true},
        "Objects": [{"FbDeliveryNoteLines": {"Element": [
            {"Fields": {"VaIt": "2", "ItCd": "TAART", "BiUn": "STK", "QuUn": 3}}
        ]}}]
    }}});
    let (status, answer) = world.write(Method::POST, "FbDeliveryNote", note).await;
    assert_eq!((status, &answer["results"]["FbDeliveryNote"]["OrNu"]), (201, &json!("J9")), "{answer}");
    let stock = world
        .read("Profit_Article_Basic", &[("filterfieldids", "ItemCode"), ("filtervalues", "TAART")])
        .await
        .remove(0);
    assert_eq!(stock["StockActual"].to_string(), "5");
    assert_eq!(world.read("Profit_Deliverynotes", &[]).await[0]["Pakbonnummer"], "J9");
}

#[tokio::test]
async fn a_company_with_a_contact_person_is_found_through_that_contact() {
    let world = World::new(options()).await;
    let mut body = company("algemeen@bedrijf.example");
    let organisation = &mut body["KnSalesRelationOrg"]["Element"]["Objects"][0]["KnOrganisation"]["Element"][0];
    organisation["Objects"].as_array_mut().unwrap().push(json!({"KnContact": {"Element": [{
        "Fields": {"PadAdr": true, "ViKc": "PRS", "EmAd": "anne@bedrijf.example"},
        "Objects": [{"KnPerson": {"Element": [{"Fields": {
            "PadAdr": true, "AutoNum": true, "MatchPer": "7", "FiNm": "Anne", "LaNm": "Visser", "ViGe": "O"
        }}]}}]
    }]}}));
    let (status, answer) = world.write(Method::POST, "KnSalesRelationOrg", body).await;
    assert_eq!(status, 201, "{answer}");
    let contact = world
        .read("Profit_Contacts", &[("filterfieldids", "MailWork"), ("filtervalues", "anne@bedrijf.example")])
        .await
        .remove(0);
    assert_eq!(contact["OrgNumber"], answer["results"]["KnSalesRelationOrg"]["BcCo"]);
    assert_eq!((&contact["Type"], &contact["Name"]), (&json!("PRS"), &json!("Anne Visser")));
}

#[tokio::test]
async fn the_other_sales_documents_take_the_head_of_an_order() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    for (connector, more) in [
        ("FbSales", json!({"TrPt": "POSTNL", "SsId": "PAKKET"})),
        ("FbSalesQuotation", json!({"VaQs": "0", "DaDu": "2026-04-13"})),
        ("FbDeliveryNote", json!({"RdDe": true})),
        ("FbDirectInvoice", json!({"SinOrNu": "2026-0042"})),
    ] {
        let mut fields = json!({
            "OrNu": "J2026-0042", "OrDa": "2026-03-14", "DbId": debtor, "RfCs": "2026-0042", "CuId": "EUR", "Unit": 1,
            "War": "HOOFD", "JoCo": "VERK", "InVa": false, "VaDu": "1", "PaCd": "30", "InPc": 14.5, "Re": "Dank u"
        });
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let lines = format!("{connector}Lines");
        let body = json!({ connector: {"Element": {
            "Fields": fields, "Objects": [{ lines.as_str(): {"Element": advice()} }]
        }}});
        let (status, answer) = world.write(Method::POST, connector, body.clone()).await;
        assert_eq!((status, &answer["results"][connector]["OrNu"]), (201, &json!("J2026-0042")), "{answer}");
        assert_eq!(world.refused(connector, body).await, "Number J2026-0042 already exists.");
    }
}

#[tokio::test]
async fn a_delivery_address_is_added_to_an_organisation_and_found_by_reading() {
    let world = World::new(options()).await;
    let (_, answer) = world.write(Method::POST, "KnSalesRelationOrg", company("lever@bedrijf.example")).await;
    let keys = &answer["results"]["KnSalesRelationOrg"];
    let body = json!({"KnOrganisation": {"Element": {
        "Fields": {"MatchOga": "0", "BcCo": keys["BcCo"]},
        "Objects": [{"KnContact": {"Element": [{
            "Fields": {"PadAdr": true, "ViKc": "AFL"},
            "Objects": [{"KnBasicAddressAdr": {"Element": [{"Fields": {
                "CoId": "D", "PbAd": false, "Ad": "Königsallee", "HmNr": 30, "ZpCd": "40212", "Rs": "Düsseldorf",
                "BeginDate": "2026-03-14", "ResZip": false
            }}]}}]
        }]}}]
    }}});
    let (status, answer) = world.write(Method::POST, "KnOrganisation/KnContact", body).await;
    assert_eq!(status, 201, "{answer}");
    let row = world
        .read(
            "Profit_Deliveryaddress",
            &[("filterfieldids", "DebiteurID"), ("filtervalues", keys["DbId"].as_str().unwrap())],
        )
        .await
        .remove(0);
    assert_eq!((&row["A_Straat"], &row["A_Land"]), (&json!("Königsallee"), &json!("DE")));
    assert!(row["Adres_ID"].is_number());
}
