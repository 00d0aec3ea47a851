//! Writes elements, each closed by construction, and none of them empty.

use crate::currency::format_minor;
use crate::iso20022::names::ISO_20022;
use crate::money::Money;

/// XML in the making.
#[derive(Default)]
pub(in crate::iso20022) struct Xml {
    out: String,
}

impl Xml {
    /// Begins a document of a message.
    pub(in crate::iso20022) fn document(message: &str) -> Self {
        let mut out = String::with_capacity(2048);
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"");
        out.push_str(ISO_20022);
        out.push_str(message);
        out.push_str("\">");
        Self { out }
    }

    /// Ends the document.
    pub(in crate::iso20022) fn finish(mut self) -> String {
        self.out.push_str("</Document>\n");
        self.out
    }

    /// An element that holds elements; nothing at all where it would hold none.
    pub(in crate::iso20022) fn within(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        let start = self.out.len();
        self.open(name);
        let inside = self.out.len();
        content(self);
        if self.out.len() == inside {
            self.out.truncate(start);
        } else {
            self.close(name);
        }
    }

    /// A start tag alone, for a writer that streams.
    pub(in crate::iso20022) fn open(&mut self, name: &str) {
        self.out.extend(["<", name, ">"]);
    }

    /// An end tag alone.
    pub(in crate::iso20022) fn close(&mut self, name: &str) {
        self.out.extend(["</", name, ">"]);
    }

    /// An element with text.
    pub(in crate::iso20022) fn text(&mut self, name: &str, text: &str) {
        self.open(name);
        escape(&mut self.out, text);
        self.close(name);
    }

    /// An element with text, if there is one.
    pub(in crate::iso20022) fn maybe(&mut self, name: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// An amount with its currency.
    pub(in crate::iso20022) fn money(&mut self, name: &str, money: Money) {
        self.out
            .extend(["<", name, " Ccy=\"", money.currency.code(), "\">"]);
        self.out
            .push_str(&format_minor(money.amount.minor(), money.currency));
        self.close(name);
    }

    /// What was written so far, taken out, for a writer that streams.
    pub(in crate::iso20022) fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }
}

/// Text as it stands between tags. A carriage return would be read as a line feed (XML 1.0, 2.11).
fn escape(out: &mut String, text: &str) {
    for ch in text.chars() {
        match ch {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            ch => out.push(ch),
        }
    }
}
