//! Updates, as the tests of a flow see them.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    check::{Project, check},
    diagnostic::Files,
    eval::testing,
    plan::SettingValues,
    schema::Catalog,
};

struct One(&'static str);

impl Files for One {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        if path == "f.flow" { Ok(self.0.into()) } else { Err("there is no such file".to_owned()) }
    }

    fn list(&self, _ending: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Runs the tests of a flow; gives what did not come true, by test.
pub(super) fn run(flow: &'static str) -> Vec<(String, Vec<String>)> {
    let roles: BTreeMap<Arc<str>, Arc<str>> =
        ["jortt", "afas"].into_iter().map(|name| (name.into(), name.into())).collect();
    let catalog = Catalog::standard().unwrap();
    let (today, flows) = ("2026-01-15".parse().unwrap(), ["f.flow".to_owned()]);
    let checked = check(&Project { files: &One(flow), catalog, roles: &roles, flows: &flows, today });
    let errors: Vec<_> = checked.diagnostics.iter().filter(|told| told.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let outcomes = testing::run(&checked.programs[0], &checked.sources, catalog, &SettingValues::new());
    let failures = |outcome: &testing::Outcome| outcome.failures.iter().map(|failure| failure.text.clone()).collect();
    outcomes.iter().map(|outcome| (outcome.name.to_string(), failures(outcome))).collect()
}

pub(super) fn passes(flow: &'static str) {
    let outcomes = run(flow);
    assert!(!outcomes.is_empty());
    for (name, failures) in outcomes {
        assert!(failures.is_empty(), "{name}: {failures:#?}");
    }
}

/// A debtor that is found by its e-mail and kept up to date.
macro_rules! debtor {
    ($fields:literal, $tests:literal) => {
        concat!(
            "flow f \"F\"\nread customer from jortt.customers {\n  since change\n  key .id\n}\n",
            "hold when customer.email is blank because \"no e-mail\"\n",
            "ensure debtor: text(16) {\n",
            "  find afas.Profit_Debtor where .Email is customer.email gives .DebtorId\n",
            "  hold when found.conflict because \"in conflict\"\n",
            "  update found\n",
            "  create afas.KnSalesRelationOrg gives .DbId {\n",
            "    CuId = \"EUR\" on create\n    PaCd = \"30\" on create\n    ColA = \"1300\" on create\n    IsDb = yes on create\n    VaDu = \"1\" on create\n",
            $fields,
            "  }\n}\n",
            $tests
        )
    };
}

#[test]
fn only_what_differs_is_sent_with_the_key_of_the_found_record() {
    passes(debtor!(
        "    KnOrganisation {
      PadAdr   = yes
      AutoNum  = yes on create
      MatchOga = \"KvK-nummer\" on create
      Nm       = customer.customer_name
      TeNr     = customer.phonenumber
      EmAd     = customer.email on create
      KnContact on create {
        PadAdr = yes
        ViKc   = \"AFD\"
        ExAd   = \"Administratie\"
      }
    }
",
        "
test \"another name\" {
  given customer {
    id = \"c\"
    email = \"a@b.nl\"
    customer_name = \"New\"
    phonenumber = \"020\"
  }
  given afas.Profit_Debtor has {
    DebtorId = \"7\"
    Email = \"a@b.nl\"
    DebtorName = \"Old\"
    TelNr = \"020\"
  }
  expect no create
  expect update afas.KnSalesRelationOrg {
    DbId = \"7\"
    KnOrganisation.Nm = \"New\"
    KnOrganisation.TeNr = blank
    KnOrganisation.MatchOga = blank
    KnOrganisation.KnContact.ViKc = blank
    PaCd = blank
  }
}
test \"nothing differs\" {
  given customer {
    id = \"c\"
    email = \"a@b.nl\"
    customer_name = \"Same\"
  }
  given afas.Profit_Debtor has {
    DebtorId = \"7\"
    Email = \"a@b.nl\"
    DebtorName = \"Same\"
    TelNr = \"020\"
  }
  expect no write
}
test \"edited, and there is something to send\" {
  given customer {
    id = \"c\"
    email = \"a@b.nl\"
    customer_name = \"New\"
  }
  given afas.Profit_Debtor has {
    DebtorId = \"7\"
    Email = \"a@b.nl\"
    DebtorName = \"Old\"
    edited = yes
  }
  expect hold \"in conflict\"
}
test \"edited, and nothing to send\" {
  given customer {
    id = \"c\"
    email = \"a@b.nl\"
    customer_name = \"Same\"
  }
  given afas.Profit_Debtor has {
    DebtorId = \"7\"
    Email = \"a@b.nl\"
    DebtorName = \"Same\"
    edited = yes
  }
  expect no hold
  expect no write
}
"
    ));
}

#[test]
fn an_address_that_koppel_never_wrote_is_left_alone() {
    passes(debtor!(
        "    KnOrganisation {
      PadAdr   = yes
      AutoNum  = yes on create
      MatchOga = \"KvK-nummer\" on create
      Nm       = customer.customer_name
      EmAd     = customer.email on create
      KnBasicAddressAdr {
        CoId = \"NL\"
        PbAd = no
        Ad = customer.address_street
        HmNr = 1
        ZpCd = \"1016LV\"
        Rs = customer.address_city
        BeginDate = today()
        ResZip = no
      }
    }
",
        "
test \"moved\" {
  given customer {
    id = \"c\"
    email = \"a@b.nl\"
    customer_name = \"Same\"
    address_street = \"Elsewhere\"
  }
  given afas.Profit_Debtor has {
    DebtorId = \"7\"
    Email = \"a@b.nl\"
    DebtorName = \"Same\"
  }
  expect no write
}
"
    ));
}

#[test]
fn a_field_that_the_target_has_filled_stays_and_one_that_koppel_never_wrote_counts_as_edited() {
    passes(debtor!(
        "    KnOrganisation {
      PadAdr   = yes
      AutoNum  = yes on create
      MatchOga = \"KvK-nummer\" on create
      Nm       = customer.customer_name unless edited
      TeNr     = customer.phonenumber unless filled
      EmAd     = customer.email on create
    }
",
        "
test \"filled\" {
  given customer {
    id = \"c\"
    email = \"a@b.nl\"
    customer_name = \"New\"
    phonenumber = \"030\"
  }
  given afas.Profit_Debtor has {
    DebtorId = \"7\"
    Email = \"a@b.nl\"
    DebtorName = \"Old\"
    TelNr = \"020\"
  }
  expect no write
}
test \"empty\" {
  given customer {
    id = \"c\"
    email = \"a@b.nl\"
    customer_name = \"New\"
    phonenumber = \"030\"
  }
  given afas.Profit_Debtor has {
    DebtorId = \"7\"
    Email = \"a@b.nl\"
    DebtorName = \"Old\"
  }
  expect update afas.KnSalesRelationOrg {
    KnOrganisation.Nm = blank
    KnOrganisation.TeNr = \"030\"
  }
}
"
    ));
}

#[test]
fn what_shows_only_one_read_further_is_filled_where_it_is_blank_and_compared() {
    passes(debtor!(
        "    KnOrganisation {
      PadAdr   = yes
      AutoNum  = yes on create
      MatchOga = \"KvK-nummer\" on create
      Nm       = customer.customer_name on create
      HoPa     = customer.website unless filled
      Re       = customer.reference
      EmAd     = customer.email on create
    }
",
        "
test \"filled\" {
  given customer {
    id = \"c\"
    email = \"a@b.nl\"
    website = \"https://new.example\"
    reference = \"same\"
  }
  given afas.Profit_Debtor has {
    DebtorId = \"7\"
    Email = \"a@b.nl\"
    BcCo = \"70\"
  }
  given afas.Profit_OrgPer has {
    BcCo = \"70\"
    Homepage = \"https://old.example\"
    Note = \"same\"
  }
  expect no write
}
test \"blank, and another remark\" {
  given customer {
    id = \"c\"
    email = \"a@b.nl\"
    website = \"https://new.example\"
    reference = \"new\"
  }
  given afas.Profit_Debtor has {
    DebtorId = \"7\"
    Email = \"a@b.nl\"
    BcCo = \"70\"
  }
  given afas.Profit_OrgPer has {
    BcCo = \"70\"
    Note = \"old\"
  }
  given afas.Profit_OrgPer has {
    BcCo = \"71\"
    Homepage = \"https://of.another\"
  }
  expect update afas.KnSalesRelationOrg {
    DbId = \"7\"
    KnOrganisation.HoPa = \"https://new.example\"
    KnOrganisation.Re = \"new\"
    KnOrganisation.Nm = blank
  }
}
test \"nothing leads to its row\" {
  given customer {
    id = \"c\"
    email = \"a@b.nl\"
    website = \"https://new.example\"
    reference = \"new\"
  }
  given afas.Profit_Debtor has {
    DebtorId = \"7\"
    Email = \"a@b.nl\"
  }
  expect no write
}
"
    ));
}

#[test]
fn an_update_of_its_own_is_compared_with_the_row_that_shows_it() {
    passes(
        "flow f \"F\"
read debtor from afas.Profit_Debtor {
  since change
  key .DebtorId
}
update jortt.customers when debtor.BcCo is not blank {
  id = debtor.BcCo!
  customer_name = debtor.DebtorName
  phonenumber = debtor.TelNr
  website = clear
}
test \"differs\" {
  given debtor {
    DebtorId = \"7\"
    BcCo = \"c\"
    DebtorName = \"New\"
    TelNr = \"020\"
  }
  given jortt.customers has {
    id = \"c\"
    customer_name = \"Old\"
    phonenumber = \"020\"
    website = \"w\"
  }
  expect update jortt.customers {
    id = \"c\"
    customer_name = \"New\"
    phonenumber = blank
  }
}
test \"stands there\" {
  given debtor {
    DebtorId = \"7\"
    BcCo = \"c\"
    DebtorName = \"Same\"
  }
  given jortt.customers has {
    id = \"c\"
    customer_name = \"Same\"
  }
  expect no update
}
test \"only the site is to be emptied\" {
  given debtor {
    DebtorId = \"7\"
    BcCo = \"c\"
    DebtorName = \"Same\"
  }
  given jortt.customers has {
    id = \"c\"
    customer_name = \"Same\"
    website = \"w\"
  }
  expect update jortt.customers {
    customer_name = blank
  }
}
",
    );
}
