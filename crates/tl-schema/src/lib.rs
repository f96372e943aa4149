//! Reads TL schema text into definitions. Knows no transport, no rules.
