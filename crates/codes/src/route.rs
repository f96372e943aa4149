//! Which providers serve a number, and in what order.

/// The E.164 prefixes that a provider serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Countries(Vec<String>);

impl Countries {
    /// Prefixes are digits, such as `49` or `1246`. None at all means every number.
    pub fn new(prefixes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(prefixes.into_iter().map(Into::into).collect())
    }

    /// How many digits of `number` the longest matching prefix names; `None` when it is not served.
    pub fn matched_len(&self, number: &str) -> Option<usize> {
        if self.0.is_empty() {
            return Some(0);
        }
        let matching = self.0.iter().filter(|prefix| number.starts_with(*prefix));
        matching.map(String::len).max()
    }
}

/// The providers that serve `number`, the one to ask first in front: whoever names the number's prefix most
/// precisely, and among equals whoever stands first in `providers`.
pub fn route<'a>(providers: impl IntoIterator<Item = &'a Countries>, number: &str) -> Vec<usize> {
    let providers = providers.into_iter().enumerate();
    let mut serving: Vec<(usize, usize)> = providers
        .filter_map(|(index, countries)| Some((countries.matched_len(number)?, index)))
        .collect();
    // Stable: equals stay in their order.
    serving.sort_by_key(|(matched_len, _)| std::cmp::Reverse(*matched_len));
    serving.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins_then_the_order() {
        let all = Countries::default();
        let america = Countries::new(["1"]);
        let barbados = Countries::new(["44", "1246"]);
        let providers = [&all, &america, &barbados, &all];
        assert_eq!(route(providers, "12465550000"), [2, 1, 0, 3]);
        assert_eq!(route(providers, "15550000001"), [1, 0, 3]);
        assert_eq!(route(providers, "4915550000"), [0, 3]);
        assert_eq!(route(providers, "4415550000"), [2, 0, 3]);
        assert!(route([&america], "4915550000").is_empty());
    }
}
