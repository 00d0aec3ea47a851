//! What a provider reports on a payout: Stripe's itemised payout reconciliation and Adyen's settlement
//! details, with charges, refunds, disputes, the fees of each, and nothing else.
//!
//! Of a charge 1.5 % and 20 minor units are kept back, and 15.00 of a dispute; refunds cost nothing.
//! Everything is dated on the day of the payout.

use std::fmt::Write;

use lombard_core::{currency::Currency, time::Timestamp};

use super::books::{Movement, What};

/// What is kept back of a dispute, in minor units.
const DISPUTE_FEE: i64 = 1_500;

/// A payout of one provider in one currency.
pub struct Payout<'a> {
    /// The provider's number of it.
    pub number: &'a str,
    /// In which currency.
    pub currency: Currency,
    /// When.
    pub at: Timestamp,
    /// What it is made of.
    pub movements: &'a [Movement],
}

/// What a movement is worth, in minor units.
struct Worth {
    gross: i64,
    fee: i64,
}

impl Worth {
    fn of(it: &Movement) -> Self {
        let amount = it.amount as i64;
        match it.what {
            What::Captured => Self {
                gross: amount,
                fee: (amount * 15 + 500) / 1_000 + 20,
            },
            What::Refunded => Self {
                gross: -amount,
                fee: 0,
            },
            What::ChargedBack => Self {
                gross: -amount,
                fee: DISPUTE_FEE,
            },
            What::ChargebackReversed => Self {
                gross: amount,
                fee: 0,
            },
        }
    }

    const fn net(&self) -> i64 {
        self.gross - self.fee
    }
}

impl Payout<'_> {
    fn day(&self) -> String {
        self.at.to_string()[..10].to_owned()
    }

    /// Minor units as the provider writes them.
    fn decimal(&self, minor: i64) -> String {
        let digits = usize::from(self.currency.exponent());
        let sign = if minor < 0 { "-" } else { "" };
        let minor = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
        match minor.split_at(minor.len() - digits) {
            (whole, "") => format!("{sign}{whole}"),
            (whole, part) => format!("{sign}{whole}.{part}"),
        }
    }

    /// As Stripe reports it. There is no row for the payout itself: it is what the others come to.
    pub fn stripe(&self) -> String {
        let mut csv = "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,\
            reporting_category,source_id,description,automatic_payout_id,\
            automatic_payout_effective_at_utc,charge_id,payment_intent_id\n"
            .to_owned();
        let (day, currency) = (self.day(), self.currency.code().to_ascii_lowercase());
        for (at, it) in self.movements.iter().enumerate() {
            let category = match it.what {
                What::Captured => "charge",
                What::Refunded => "refund",
                What::ChargedBack => "dispute",
                What::ChargebackReversed => "dispute_reversal",
            };
            let (worth, number, intent) = (Worth::of(it), self.number, &it.charge.id);
            let charge = format!("ch_{intent}");
            let source = match it.what {
                What::Captured => &charge,
                _ => &it.id,
            };
            let [gross, fee, net] =
                [worth.gross, worth.fee, worth.net()].map(|minor| self.decimal(minor));
            // A string takes whatever is written.
            let _ = writeln!(
                csv,
                "txn_{number}_{at},{day} 10:00:00,{day} 10:00:00,{currency},{gross},{fee},{net},\
                 {category},{source},,po_{number},{day} 00:00:00,{charge},{intent}"
            );
        }
        csv
    }

    /// As Adyen reports it: the last row is the payout.
    pub fn adyen(&self) -> String {
        let mut csv =
            "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,\
            Creation Date,TimeZone,Type,Modification Reference,Gross Currency,Gross Debit (GC),\
            Gross Credit (GC),Exchange Rate,Net Currency,Net Debit (NC),Net Credit (NC),\
            Commission (NC),Markup (NC),Scheme Fees (NC),Interchange (NC),Batch Number\n"
                .to_owned();
        let (day, currency, number) = (self.day(), self.currency.code(), self.number);
        let sides = |minor: i64| match minor {
            0.. => format!(",{}", self.decimal(minor)),
            _ => format!("{},", self.decimal(-minor)),
        };
        let mut sum = 0;
        for it in self.movements {
            let kind = match it.what {
                What::Captured => "Settled",
                What::Refunded => "Refunded",
                What::ChargedBack => "Chargeback",
                What::ChargebackReversed => "ChargebackReversed",
            };
            let worth = Worth::of(it);
            sum += worth.net();
            let (psp, reference, part) = (&it.charge.id, &it.charge.attempt, &it.id);
            let (gross, net) = (sides(worth.gross), sides(worth.net()));
            let fee = self.decimal(worth.fee);
            let _ = writeln!(
                csv,
                "Lombard,Lombard,{psp},{reference},visa,{day} 10:00:00,UTC,{kind},{part},{currency},\
                 {gross},1,{currency},{net},,{fee},,,{number}"
            );
        }
        let paid = sides(-sum);
        let _ = writeln!(
            csv,
            "Lombard,Lombard,,,,{day} 23:00:00,UTC,MerchantPayout,\"TX{number}XT batch {number}, Lombard\",,,,,{currency},{paid},,,,,{number}"
        );
        csv
    }
}
