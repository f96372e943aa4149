//! Countries and their calling codes (ITU-T E.164), from which login screens recognize and format numbers.

use havre_tl::{enums, types};

/// ISO 3166-1 code, English name, calling code, prefixes after it that tell countries of one calling code
/// apart (with commas), and how a number after the calling code is grouped (empty: not grouped).
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// By English name.
#[rustfmt::skip]
const COUNTRIES: &[Row] = &[
    ("AF", "Afghanistan", "93", "", ""),
    ("AL", "Albania", "355", "", ""),
    ("DZ", "Algeria", "213", "", "XXX XX XX XX"),
    ("AS", "American Samoa", "1", "684", ""),
    ("AD", "Andorra", "376", "", ""),
    ("AO", "Angola", "244", "", ""),
    ("AI", "Anguilla", "1", "264", ""),
    ("AG", "Antigua and Barbuda", "1", "268", ""),
    ("AR", "Argentina", "54", "", ""),
    ("AM", "Armenia", "374", "", "XX XXX XXX"),
    ("AW", "Aruba", "297", "", ""),
    ("AU", "Australia", "61", "", "XXX XXX XXX"),
    ("AT", "Austria", "43", "", ""),
    ("AZ", "Azerbaijan", "994", "", "XX XXX XXXX"),
    ("BS", "Bahamas", "1", "242", ""),
    ("BH", "Bahrain", "973", "", ""),
    ("BD", "Bangladesh", "880", "", ""),
    ("BB", "Barbados", "1", "246", ""),
    ("BY", "Belarus", "375", "", "XX XXX XXXX"),
    ("BE", "Belgium", "32", "", ""),
    ("BZ", "Belize", "501", "", ""),
    ("BJ", "Benin", "229", "", ""),
    ("BM", "Bermuda", "1", "441", ""),
    ("BT", "Bhutan", "975", "", ""),
    ("BO", "Bolivia", "591", "", ""),
    ("BA", "Bosnia and Herzegovina", "387", "", ""),
    ("BW", "Botswana", "267", "", ""),
    ("BR", "Brazil", "55", "", "XX XXXXX XXXX"),
    ("IO", "British Indian Ocean Territory", "246", "", ""),
    ("VG", "British Virgin Islands", "1", "284", ""),
    ("BN", "Brunei", "673", "", ""),
    ("BG", "Bulgaria", "359", "", ""),
    ("BF", "Burkina Faso", "226", "", ""),
    ("BI", "Burundi", "257", "", ""),
    ("KH", "Cambodia", "855", "", ""),
    ("CM", "Cameroon", "237", "", ""),
    ("CA", "Canada", "1", "204,226,236,249,250,263,289,306,343,354,365,367,368,382,403,416,418,428,431,437,438,450,468,474,506,514,519,548,579,581,584,587,604,613,639,647,672,683,705,709,742,753,778,780,782,807,819,825,867,873,879,902,905", "XXX XXX XXXX"),
    ("CV", "Cape Verde", "238", "", ""),
    ("BQ", "Caribbean Netherlands", "599", "3,4,7", ""),
    ("KY", "Cayman Islands", "1", "345", ""),
    ("CF", "Central African Republic", "236", "", ""),
    ("TD", "Chad", "235", "", ""),
    ("CL", "Chile", "56", "", ""),
    ("CN", "China", "86", "", "XXX XXXX XXXX"),
    ("CO", "Colombia", "57", "", "XXX XXX XXXX"),
    ("KM", "Comoros", "269", "", ""),
    ("CG", "Congo (Brazzaville)", "242", "", ""),
    ("CD", "Congo (Kinshasa)", "243", "", ""),
    ("CK", "Cook Islands", "682", "", ""),
    ("CR", "Costa Rica", "506", "", ""),
    ("CI", "Côte d’Ivoire", "225", "", ""),
    ("HR", "Croatia", "385", "", ""),
    ("CU", "Cuba", "53", "", ""),
    ("CW", "Curaçao", "599", "9", ""),
    ("CY", "Cyprus", "357", "", ""),
    ("CZ", "Czechia", "420", "", "XXX XXX XXX"),
    ("DK", "Denmark", "45", "", "XXXX XXXX"),
    ("DJ", "Djibouti", "253", "", ""),
    ("DM", "Dominica", "1", "767", ""),
    ("DO", "Dominican Republic", "1", "809,829,849", ""),
    ("EC", "Ecuador", "593", "", ""),
    ("EG", "Egypt", "20", "", "XX XXXX XXXX"),
    ("SV", "El Salvador", "503", "", ""),
    ("GQ", "Equatorial Guinea", "240", "", ""),
    ("ER", "Eritrea", "291", "", ""),
    ("EE", "Estonia", "372", "", ""),
    ("SZ", "Eswatini", "268", "", ""),
    ("ET", "Ethiopia", "251", "", ""),
    ("FK", "Falkland Islands", "500", "", ""),
    ("FO", "Faroe Islands", "298", "", ""),
    ("FJ", "Fiji", "679", "", ""),
    ("FI", "Finland", "358", "", ""),
    ("FR", "France", "33", "", "X XX XX XX XX"),
    ("GF", "French Guiana", "594", "", ""),
    ("PF", "French Polynesia", "689", "", ""),
    ("GA", "Gabon", "241", "", ""),
    ("GM", "Gambia", "220", "", ""),
    ("GE", "Georgia", "995", "", "XXX XXX XXX"),
    ("DE", "Germany", "49", "", ""),
    ("GH", "Ghana", "233", "", ""),
    ("GI", "Gibraltar", "350", "", ""),
    ("GR", "Greece", "30", "", "XXX XXX XXXX"),
    ("GL", "Greenland", "299", "", ""),
    ("GD", "Grenada", "1", "473", ""),
    ("GP", "Guadeloupe", "590", "", ""),
    ("GU", "Guam", "1", "671", ""),
    ("GT", "Guatemala", "502", "", ""),
    ("GN", "Guinea", "224", "", ""),
    ("GW", "Guinea-Bissau", "245", "", ""),
    ("GY", "Guyana", "592", "", ""),
    ("HT", "Haiti", "509", "", ""),
    ("HN", "Honduras", "504", "", ""),
    ("HK", "Hong Kong", "852", "", ""),
    ("HU", "Hungary", "36", "", ""),
    ("IS", "Iceland", "354", "", ""),
    ("IN", "India", "91", "", "XXXXX XXXXX"),
    ("ID", "Indonesia", "62", "", ""),
    ("IR", "Iran", "98", "", "XXX XXX XXXX"),
    ("IQ", "Iraq", "964", "", ""),
    ("IE", "Ireland", "353", "", ""),
    ("IL", "Israel", "972", "", "XX XXX XXXX"),
    ("IT", "Italy", "39", "", ""),
    ("JM", "Jamaica", "1", "658,876", ""),
    ("JP", "Japan", "81", "", "XX XXXX XXXX"),
    ("JO", "Jordan", "962", "", ""),
    ("KZ", "Kazakhstan", "7", "6,7", "XXX XXX XX XX"),
    ("KE", "Kenya", "254", "", "XXX XXX XXX"),
    ("KI", "Kiribati", "686", "", ""),
    ("XK", "Kosovo", "383", "", ""),
    ("KW", "Kuwait", "965", "", ""),
    ("KG", "Kyrgyzstan", "996", "", "XXX XXX XXX"),
    ("LA", "Laos", "856", "", ""),
    ("LV", "Latvia", "371", "", "XXX XXXXX"),
    ("LB", "Lebanon", "961", "", ""),
    ("LS", "Lesotho", "266", "", ""),
    ("LR", "Liberia", "231", "", ""),
    ("LY", "Libya", "218", "", ""),
    ("LI", "Liechtenstein", "423", "", ""),
    ("LT", "Lithuania", "370", "", "XXX XXXXX"),
    ("LU", "Luxembourg", "352", "", ""),
    ("MO", "Macau", "853", "", ""),
    ("MG", "Madagascar", "261", "", ""),
    ("MW", "Malawi", "265", "", ""),
    ("MY", "Malaysia", "60", "", ""),
    ("MV", "Maldives", "960", "", ""),
    ("ML", "Mali", "223", "", ""),
    ("MT", "Malta", "356", "", ""),
    ("MH", "Marshall Islands", "692", "", ""),
    ("MQ", "Martinique", "596", "", ""),
    ("MR", "Mauritania", "222", "", ""),
    ("MU", "Mauritius", "230", "", ""),
    ("MX", "Mexico", "52", "", ""),
    ("FM", "Micronesia", "691", "", ""),
    ("MD", "Moldova", "373", "", "XX XXX XXX"),
    ("MC", "Monaco", "377", "", ""),
    ("MN", "Mongolia", "976", "", ""),
    ("ME", "Montenegro", "382", "", ""),
    ("MS", "Montserrat", "1", "664", ""),
    ("MA", "Morocco", "212", "", ""),
    ("MZ", "Mozambique", "258", "", ""),
    ("MM", "Myanmar", "95", "", ""),
    ("NA", "Namibia", "264", "", ""),
    ("NR", "Nauru", "674", "", ""),
    ("NP", "Nepal", "977", "", ""),
    ("NL", "Netherlands", "31", "", "X XX XX XX XX"),
    ("NC", "New Caledonia", "687", "", ""),
    ("NZ", "New Zealand", "64", "", ""),
    ("NI", "Nicaragua", "505", "", ""),
    ("NE", "Niger", "227", "", ""),
    ("NG", "Nigeria", "234", "", ""),
    ("NU", "Niue", "683", "", ""),
    ("NF", "Norfolk Island", "672", "", ""),
    ("KP", "North Korea", "850", "", ""),
    ("MK", "North Macedonia", "389", "", ""),
    ("MP", "Northern Mariana Islands", "1", "670", ""),
    ("NO", "Norway", "47", "", "XXXX XXXX"),
    ("OM", "Oman", "968", "", ""),
    ("PK", "Pakistan", "92", "", ""),
    ("PW", "Palau", "680", "", ""),
    ("PS", "Palestine", "970", "", ""),
    ("PA", "Panama", "507", "", ""),
    ("PG", "Papua New Guinea", "675", "", ""),
    ("PY", "Paraguay", "595", "", ""),
    ("PE", "Peru", "51", "", ""),
    ("PH", "Philippines", "63", "", ""),
    ("PL", "Poland", "48", "", "XXX XXX XXX"),
    ("PT", "Portugal", "351", "", "XXX XXX XXX"),
    ("PR", "Puerto Rico", "1", "787,939", ""),
    ("QA", "Qatar", "974", "", ""),
    ("RE", "Réunion", "262", "", ""),
    ("RO", "Romania", "40", "", "XXX XXX XXX"),
    ("RU", "Russia", "7", "", "XXX XXX XX XX"),
    ("RW", "Rwanda", "250", "", ""),
    ("SH", "Saint Helena", "290", "", ""),
    ("KN", "Saint Kitts and Nevis", "1", "869", ""),
    ("LC", "Saint Lucia", "1", "758", ""),
    ("PM", "Saint Pierre and Miquelon", "508", "", ""),
    ("VC", "Saint Vincent and the Grenadines", "1", "784", ""),
    ("WS", "Samoa", "685", "", ""),
    ("SM", "San Marino", "378", "", ""),
    ("ST", "São Tomé and Príncipe", "239", "", ""),
    ("SA", "Saudi Arabia", "966", "", ""),
    ("SN", "Senegal", "221", "", ""),
    ("RS", "Serbia", "381", "", ""),
    ("SC", "Seychelles", "248", "", ""),
    ("SL", "Sierra Leone", "232", "", ""),
    ("SG", "Singapore", "65", "", "XXXX XXXX"),
    ("SX", "Sint Maarten", "1", "721", ""),
    ("SK", "Slovakia", "421", "", ""),
    ("SI", "Slovenia", "386", "", ""),
    ("SB", "Solomon Islands", "677", "", ""),
    ("SO", "Somalia", "252", "", ""),
    ("ZA", "South Africa", "27", "", "XX XXX XXXX"),
    ("KR", "South Korea", "82", "", ""),
    ("SS", "South Sudan", "211", "", ""),
    ("ES", "Spain", "34", "", "XXX XXX XXX"),
    ("LK", "Sri Lanka", "94", "", ""),
    ("SD", "Sudan", "249", "", ""),
    ("SR", "Suriname", "597", "", ""),
    ("SE", "Sweden", "46", "", ""),
    ("CH", "Switzerland", "41", "", "XX XXX XXXX"),
    ("SY", "Syria", "963", "", ""),
    ("TW", "Taiwan", "886", "", ""),
    ("TJ", "Tajikistan", "992", "", ""),
    ("TZ", "Tanzania", "255", "", ""),
    ("TH", "Thailand", "66", "", ""),
    ("TL", "Timor-Leste", "670", "", ""),
    ("TG", "Togo", "228", "", ""),
    ("TK", "Tokelau", "690", "", ""),
    ("TO", "Tonga", "676", "", ""),
    ("TT", "Trinidad and Tobago", "1", "868", ""),
    ("TN", "Tunisia", "216", "", ""),
    ("TR", "Turkey", "90", "", "XXX XXX XXXX"),
    ("TM", "Turkmenistan", "993", "", ""),
    ("TC", "Turks and Caicos Islands", "1", "649", ""),
    ("TV", "Tuvalu", "688", "", ""),
    ("VI", "U.S. Virgin Islands", "1", "340", ""),
    ("UG", "Uganda", "256", "", ""),
    ("UA", "Ukraine", "380", "", "XX XXX XX XX"),
    ("AE", "United Arab Emirates", "971", "", "XX XXX XXXX"),
    ("GB", "United Kingdom", "44", "", "XXXX XXXXXX"),
    ("US", "United States", "1", "", "XXX XXX XXXX"),
    ("UY", "Uruguay", "598", "", ""),
    ("UZ", "Uzbekistan", "998", "", "XX XXX XX XX"),
    ("VU", "Vanuatu", "678", "", ""),
    ("VE", "Venezuela", "58", "", ""),
    ("VN", "Vietnam", "84", "", ""),
    ("WF", "Wallis and Futuna", "681", "", ""),
    ("YE", "Yemen", "967", "", ""),
    ("ZM", "Zambia", "260", "", ""),
    ("ZW", "Zimbabwe", "263", "", ""),
];

/// All countries, by English name.
#[must_use]
pub fn countries() -> Vec<enums::help::Country> {
    COUNTRIES.iter().map(country).collect()
}

fn country(&(iso2, name, code, prefixes, pattern): &Row) -> enums::help::Country {
    let prefixes: Vec<String> = prefixes
        .split(',')
        .filter(|p| !p.is_empty())
        .map(str::to_owned)
        .collect();
    let code = types::help::CountryCode {
        country_code: code.to_owned(),
        prefixes: (!prefixes.is_empty()).then_some(prefixes),
        patterns: (!pattern.is_empty()).then(|| vec![pattern.to_owned()]),
    };
    types::help::Country {
        hidden: false,
        iso2: iso2.to_owned(),
        default_name: name.to_owned(),
        name: None,
        country_codes: vec![code.into()],
    }
    .into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_country_is_there_once_and_has_a_calling_code() {
        let codes: BTreeSet<&str> = COUNTRIES.iter().map(|row| row.0).collect();
        assert_eq!(codes.len(), COUNTRIES.len());
        for (iso2, name, code, prefixes, pattern) in COUNTRIES {
            assert!(iso2.len() == 2 && iso2.bytes().all(|b| b.is_ascii_uppercase()));
            assert!(!name.is_empty());
            assert!((1..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit()));
            assert!(prefixes.bytes().all(|b| b.is_ascii_digit() || b == b','));
            assert!(pattern.bytes().all(|b| b == b'X' || b == b' '));
        }
    }

    #[test]
    fn calling_code_and_prefix_lead_to_one_country() {
        let mut seen = BTreeSet::new();
        for (.., code, prefixes, _) in COUNTRIES {
            for prefix in prefixes.split(',') {
                assert!(
                    seen.insert((code, prefix)),
                    "+{code} {prefix} leads to two countries"
                );
            }
        }
    }
}
