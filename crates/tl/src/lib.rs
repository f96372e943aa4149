//! TL: types of the canonical layer and the layer transcoder. Knows no transport, no rules.
