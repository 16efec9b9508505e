//! The standard library's schemas: made from the vendors' files, whole, and as the rest of the house needs them.

use std::{collections::BTreeMap, fs, path::Path};

use koppel::schema::{
    Catalog, ChangeClass, Entity, Form, Kind, Object, Privacy, ReadFacts, WriteFacts, import::import,
};

fn folder(system: &str, name: &str) -> BTreeMap<String, String> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib").join(system).join(name);
    let files = fs::read_dir(place).unwrap().map(|file| file.unwrap().path());
    files
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()))
        .collect()
}

fn entity(path: &str) -> &'static Entity {
    let (system, name) = path.split_once('.').unwrap();
    Catalog::standard().unwrap().entity(system, name).unwrap_or_else(|| panic!("{path} is missing"))
}

fn read(path: &str) -> &'static ReadFacts {
    entity(path).read.as_ref().unwrap()
}

fn write(path: &str) -> &'static WriteFacts {
    entity(path).write.as_ref().unwrap()
}

fn required(object: &Object) -> Vec<&str> {
    object.fields.values().filter(|field| field.required).map(|field| &*field.name).collect()
}

#[test]
fn an_import_of_the_vendors_files_gives_the_schemas_that_are_committed() {
    for system in ["afas", "jortt"] {
        let made = import(system, &folder(system, "vendor")).unwrap();
        let committed = folder(system, "schema");
        assert_eq!(made.keys().collect::<Vec<_>>(), committed.keys().collect::<Vec<_>>());
        for (name, text) in &made {
            assert!(committed[name] == *text, "{system}/schema/{name} differs: run `koppel schema import`");
        }
    }
}

#[test]
fn an_import_says_what_is_wrong_with_a_file() {
    let wrong = |system: &str, name: &str, text: &str| {
        import(system, &BTreeMap::from([(name.to_owned(), text.to_owned())])).unwrap_err().to_string()
    };
    assert_eq!(wrong("exact", "a", ""), "there is no import for \"exact\": write \"jortt\" or \"afas\"");
    assert_eq!(wrong("jortt", "a", ""), "vendor file swagger.json is missing");
    assert!(wrong("afas", "get.X.json", "{").starts_with("vendor file get.X.json is no JSON"));
    assert_eq!(wrong("afas", "get.X.json", "{}"), "vendor file get.X.json has no rows");
    assert_eq!(wrong("afas", "update.X.json", "{}"), "vendor file update.X.json has neither X_POST nor X_PUT");
    let unknown = r#"{"properties":{"rows":{"items":{"properties":{"A":{"type":"file"}}}}}}"#;
    assert_eq!(wrong("afas", "get.X.json", unknown), "vendor file get.X.json: A: type \"file\" is unknown");
}

#[test]
fn every_schema_file_is_built_in() {
    let catalog = Catalog::standard().unwrap();
    for system in ["afas", "jortt"] {
        let names: Vec<_> = catalog.systems[system].entities.keys().map(|name| format!("{name}.schema")).collect();
        let mut files: Vec<_> = folder(system, "schema").into_keys().collect();
        files.sort();
        let mut names = names;
        names.sort();
        assert_eq!(names, files);
    }
}

#[test]
fn every_fact_names_a_section_that_exists() {
    let number = regex::Regex::new(r"\d+").unwrap();
    for system in ["afas", "jortt"] {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib").join(system);
        let facts = fs::read_to_string(place.join("facts.toml")).unwrap();
        let readme = fs::read_to_string(place.join("README.md")).unwrap();
        for source in facts.lines().filter_map(|line| line.strip_prefix("source")) {
            assert!(source.contains("section"), "{source}");
            for section in number.find_iter(source) {
                assert!(readme.contains(&format!("\n## {}. ", section.as_str())), "{system}: no section {source}");
            }
        }
    }
}

#[test]
fn code_tables_have_codes_and_labels() {
    let order = write("afas.FbSales").create.as_ref().unwrap();
    let kind = order.at("Lines.VaIt").unwrap();
    assert_eq!(kind.ty.codes.as_ref().unwrap().code_of("artikel").map(|code| &**code), Some("2"));
    assert_eq!(order.at("DeCo").unwrap().ty.codes.as_ref().unwrap().code_of("0").map(|code| &**code), Some("0"));
    assert!(order.at("SaCh").unwrap().ty.codes.as_ref().unwrap().open);
    assert!(!kind.ty.codes.as_ref().unwrap().open);
    assert!(kind.ty.codes == read("afas.Profit_SalesorderLines").object.at("ItemTypeCode").unwrap().ty.codes);
    let method = read("jortt.invoices").object.field("payment_method").unwrap();
    assert!(matches!(&method.ty.kind, Kind::OneOf(words) if words.len() == 3));
}

#[test]
fn required_is_what_practice_asks_for() {
    let order = write("afas.FbSales");
    assert_eq!(required(order.create.as_ref().unwrap()), ["DbId", "Unit"]);
    assert_eq!(required(order.update.as_ref().unwrap()), ["OrNu"]);
    let lines = order.create.as_ref().unwrap().field("Lines").unwrap().ty.object().unwrap();
    assert_eq!(required(lines), ["VaIt", "ItCd", "BiUn", "QuUn"]);
    let debtor = write("afas.KnSalesRelationOrg").create.as_ref().unwrap();
    assert_eq!(required(debtor), ["CuId", "KnOrganisation"]);
    let needed =
        |of: &Object, name: &str| of.field(name).unwrap().needed.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(needed(debtor, "PaCd"), ["when `IsDb` is yes"]);
    assert_eq!(
        needed(write("jortt.customers").create.as_ref().unwrap(), "address_city"),
        ["unless `is_private` is yes"]
    );
    let company = debtor.field("KnOrganisation").unwrap();
    assert!(matches!(company.ty.kind, Kind::Record(_)));
    assert_eq!(required(company.ty.object().unwrap()), ["PadAdr", "AutoNum", "MatchOga", "Nm"]);
    let address = debtor.at("KnOrganisation.KnBasicAddressAdr").unwrap();
    assert!(address.unit && address.ty.object().unwrap().field("BeginDate").unwrap().accompanies);
    assert_eq!(required(address.ty.object().unwrap()), ["CoId", "PbAd", "ResZip"]);
    assert_eq!(required(write("jortt.invoices").create.as_ref().unwrap()), ["customer_id", "line_items"]);
    assert_eq!(required(write("jortt.customers").create.as_ref().unwrap()), ["is_private", "customer_name"]);
    assert_eq!(required(write("jortt.customers").update.as_ref().unwrap()), ["id"]);
    assert_eq!(required(write("jortt.invoices").update.as_ref().unwrap()), ["id"]);
    assert_eq!(required(write("jortt.invoice_labels").update.as_ref().unwrap()), ["id", "label_ids"]);
    assert!(write("jortt.invoice_labels").create.is_none());
}

#[test]
fn journal_entries_have_a_root_and_short_lines() {
    let entry = write("afas.FiEntries");
    assert_eq!(&*entry.root, "FiEntryPar");
    let lines = entry.create.as_ref().unwrap().field("Lines").unwrap();
    assert_eq!(&*lines.wire, "FiEntries");
    assert_eq!(&*lines.ty.object().unwrap().path, "afas.FiEntries.Lines");
    assert!(entry.create.as_ref().unwrap().at("Lines.FiDimEntries.DiC1").is_some());
    assert_eq!(&*write("afas.FbSales").root, "FbSales");
}

#[test]
fn sub_objects_have_names_of_their_own() {
    let address = &Catalog::standard().unwrap().systems["afas"].objects["KnBasicAddressAdr"];
    assert_eq!(&*address.path, "afas.KnBasicAddressAdr");
    assert_eq!(address.field("Ad").unwrap().ty.to_string(), "text(60)");
}

#[test]
fn types_of_reads_are_those_of_the_values() {
    let ty = |path: &str| {
        let (entity, field) = path.rsplit_once('.').unwrap();
        read(entity).object.field(field).unwrap().ty.to_string()
    };
    assert_eq!(ty("afas.Profit_Debtor.DebtorId"), "text(16)");
    assert_eq!(ty("afas.Profit_Debtor.Email"), "email?");
    assert_eq!(ty("afas.Profit_Debtor.ModifiedDate"), "datetime?");
    assert_eq!(ty("afas.Profit_VAT_code.VatPerc"), "percent?");
    assert_eq!(ty("afas.Profit_Salesorders.InvoiceTotal"), "money?");
    assert_eq!(ty("afas.Profit_periods_per_administration.Year"), "int");
    assert_eq!(ty("jortt.invoices.invoice_total"), "money");
    assert_eq!(ty("jortt.invoices.customer_address_country_code"), "country?");
    assert_eq!(ty("jortt.invoices.credit_invoice_ids"), "list of text");
    let moment = read("afas.Profit_Debtor").object.field("ModifiedDate").unwrap();
    assert_eq!(moment.form, Form::AmsterdamTime);
}

#[test]
fn stamps_say_what_they_miss() {
    let invoices = read("jortt.invoices");
    let stamp = invoices.stamp.as_ref().unwrap();
    assert!(!stamp.moves);
    assert!(stamp.misses.iter().any(|name| &**name == "invoice_number"));
    assert!(!stamp.misses.iter().any(|name| &**name == "created_at"));
    assert_eq!(invoices.object.field("invoice_number").unwrap().change, ChangeClass::WhenSent);
    assert_eq!(invoices.object.field("invoice_due_amount").unwrap().change, ChangeClass::Any);
    assert!(read("afas.Profit_Debtor").stamp.as_ref().unwrap().moves);
    assert!(read("afas.Profit_Salesorders").stamp.is_none());
}

#[test]
fn a_create_is_found_again() {
    let order = &write("afas.FbSales").recognise;
    assert_eq!(order.compare.len(), 2);
    assert_eq!(order.key.as_deref(), Some("OrderNumber"));
    let entry = &write("afas.FiEntries").recognise;
    assert_eq!((entry.compare.len(), entry.also.len()), (1, 2));
    assert!(write("afas.FbStockMutation").recognise.nothing);
    let families: Vec<_> = ["afas.KnSalesRelationOrg", "afas.KnSalesRelationPer"]
        .map(|entity| write(entity).family.clone().unwrap().0)
        .to_vec();
    assert_eq!(families, ["debtor".into(), "debtor".into()]);
}

/// Own numbers and references are stored in plain.
#[test]
fn no_number_and_no_reference_is_personal() {
    for system in Catalog::standard().unwrap().systems.values() {
        for entity in system.entities.values() {
            let Some(write) = &entity.write else { continue };
            let number = write.recognise.own_number.as_ref().map(|number| &number.field);
            for path in number.into_iter().chain(&write.recognise.reference) {
                let field = write.create.as_ref().unwrap().at(path).unwrap();
                assert_eq!(field.privacy, Privacy::Plain, "{}.{path}", entity.name);
            }
        }
    }
}

/// A contact's e-mail, a birth date, a BSN: never in a log.
#[test]
fn what_is_a_persons_is_personal() {
    for (entity, fields) in [
        (
            "jortt.customers",
            &["email", "citizen_service_number", "date_of_birth", "customer_name", "address_street"][..],
        ),
        ("jortt.invoices", &["customer_company_name", "customer_mail_to", "customer_address_street"]),
        ("afas.Profit_Debtor", &["DebtorName", "Email", "AdressLine1"]),
        ("afas.Profit_OrgPer", &["BSN", "DateBirth", "Name"]),
        ("afas.Profit_Contacts", &["MailWork", "FullName"]),
    ] {
        for field in fields {
            let privacy = read(entity).object.field(field).unwrap().privacy;
            assert_eq!(privacy, Privacy::Personal, "{entity}.{field}");
        }
    }
    for path in ["KnPerson.LaNm", "KnPerson.EmAd", "KnPerson.TeNr", "KnPerson.KnBasicAddressAdr.Ad"] {
        let field = write("afas.KnSalesRelationPer").create.as_ref().unwrap().at(path).unwrap();
        assert_eq!(field.privacy, Privacy::Personal, "{path}");
    }
}
