//! One field rule of the facts, laid over one field.

use std::sync::Arc;

use super::{Loader, Mode};
use crate::schema::{
    ChangeClass, ColumnRef, Condition, Field, Form, Kind, Privacy, Ty,
    facts::{ChangeRule, FieldRule, MoneyForm, NumberForm, PercentForm, PrivacyRule, RequiredRule, TimeForm, TypeRule},
};

impl Loader<'_> {
    /// One rule laid over a field.
    pub(super) fn correct(&self, field: &mut Field, rule: &FieldRule, mode: Mode) {
        if let Some(ty) = rule.ty {
            let (kind, form) = match ty {
                TypeRule::Text => (Kind::Text, Form::Plain),
                TypeRule::Int => (Kind::Int, Form::Plain),
                TypeRule::Decimal => (Kind::Decimal, self.number(rule.number)),
                TypeRule::Money => (Kind::Money, self.money(rule.currency.as_deref())),
                TypeRule::Percent => (Kind::Percent, self.percent(rule.percent)),
                TypeRule::Bool => (Kind::Bool, Form::Plain),
                TypeRule::Date => (Kind::Date, Form::Plain),
                TypeRule::Datetime => (Kind::DateTime, self.time()),
                TypeRule::Country => (Kind::Country, Form::Plain),
                TypeRule::Currency => (Kind::Currency, Form::Plain),
                TypeRule::Email => (Kind::Email, Form::Plain),
                TypeRule::Iban => (Kind::Iban, Form::Plain),
                TypeRule::VatNumber => (Kind::VatNumber, Form::Plain),
            };
            // Of a list the elements are meant.
            match &mut field.ty.kind {
                Kind::List(of) if of.object().is_none() => of.kind = kind,
                own => *own = kind,
            }
            field.form = form;
        }
        if let Some(words) = &rule.words {
            field.ty.kind = Kind::OneOf(words.iter().map(|word| Arc::from(word.as_str())).collect());
        }
        if let Kind::List(of) = &field.ty.kind
            && rule.single
        {
            field.ty = (**of).clone();
        }
        if rule.list {
            let of = std::mem::replace(&mut field.ty, Ty::any());
            field.ty = Ty::list(of.filled());
        }
        if rule.null {
            field.form = Form::NullText;
        }
        field.ty.max = rule.max.or(field.ty.max);
        field.decimals = rule.decimals.or(field.decimals);
        if let Some(required) = rule.required {
            let here = match required {
                RequiredRule::Never => false,
                RequiredRule::Create => mode == Mode::Create,
                RequiredRule::Both => mode != Mode::Read,
            };
            let conditions = [(&rule.when, true), (&rule.unless, false)];
            let conditions: Vec<Condition> = conditions
                .into_iter()
                .filter_map(|(rule, holds)| rule.as_ref().map(|rule| (rule, holds)))
                .map(|(rule, holds)| Condition {
                    field: rule.field.as_str().into(),
                    is: rule.is.as_deref().map(Into::into),
                    holds,
                })
                .collect();
            field.required = here && conditions.is_empty();
            if here {
                field.needed.extend(conditions);
            }
        }
        if let Some(privacy) = rule.privacy {
            field.privacy = match privacy {
                PrivacyRule::Plain => Privacy::Plain,
                PrivacyRule::Personal => Privacy::Personal,
                PrivacyRule::FreeText => Privacy::FreeText,
            };
        }
        if let Some(change) = rule.change {
            field.change = match change {
                ChangeRule::Any => ChangeClass::Any,
                ChangeRule::Once => ChangeClass::Once,
                ChangeRule::WhenSent => ChangeClass::WhenSent,
            };
        }
        if let Some((of, column)) = rule.reference.as_deref().and_then(|reference| reference.rsplit_once('.')) {
            let reference = Some(ColumnRef { of: of.into(), column: column.into() });
            match &mut field.ty.kind {
                Kind::List(of) => of.reference = reference,
                _ => field.ty.reference = reference,
            }
        }
        if let Some(instead) = rule.instead.as_deref().filter(|_| mode != Mode::Read) {
            field.instead = Some(instead.into());
        }
        field.unit |= rule.unit;
        field.accompanies |= rule.accompanies;
    }

    pub(super) fn number(&self, own: Option<NumberForm>) -> Form {
        match own.unwrap_or(self.facts.wire.number) {
            NumberForm::Number => Form::Number,
            NumberForm::Text => Form::NumberText,
        }
    }

    pub(super) fn money(&self, currency: Option<&str>) -> Form {
        match self.facts.wire.money {
            MoneyForm::Number => Form::MoneyNumber(currency.map(Into::into)),
            MoneyForm::Object => Form::MoneyObject("amount".into()),
        }
    }

    pub(super) fn percent(&self, own: Option<PercentForm>) -> Form {
        match own.unwrap_or(self.facts.wire.percent) {
            PercentForm::Points => Form::PercentPoints,
            PercentForm::Fraction => Form::PercentFraction,
        }
    }

    pub(super) fn time(&self) -> Form {
        match self.facts.wire.time {
            TimeForm::Amsterdam => Form::AmsterdamTime,
            TimeForm::Offset => Form::Plain,
        }
    }
}
