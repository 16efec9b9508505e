//! Code tables of this environment that no GetConnector shows, and the countries.

/// A code with its name.
type Code = (&'static str, &'static str);

/// Payment conditions.
pub(super) const PAYMENT_CONDITIONS: &[Code] =
    &[("00", "Direct"), ("14", "14 dagen"), ("30", "30 dagen"), ("60", "60 dagen")];

/// Payment methods.
pub(super) const PAYMENT_METHODS: &[Code] = &[("01", "Reeds betaald"), ("INC", "Incasso")];

/// VAT duties: who owes the VAT.
pub(super) const VAT_DUTIES: &[Code] =
    &[("1", "Binnenland"), ("2", "Verlegd binnenland"), ("3", "Intracommunautair"), ("4", "Export")];

/// Article groups.
pub(super) const ARTICLE_GROUPS: &[Code] = &[("DIV", "Diversen"), ("DIENST", "Diensten"), ("BAK", "Bakkerij")];

/// Units.
pub(super) const UNITS: &[Code] = &[("STK", "Stuk"), ("UUR", "Uur"), ("DOOS", "Doos")];

/// Transporters.
pub(super) const TRANSPORTERS: &[Code] = &[("POSTNL", "PostNL"), ("DHL", "DHL")];

/// Their services.
pub(super) const SERVICES: &[Code] = &[("PAKKET", "Pakket")];

/// Reasons of stock mutations.
pub(super) const REASONS: &[Code] = &[("JORTT", "Verkoop via Jortt"), ("TEL", "Telling")];

/// Discount groups of debtors.
pub(super) const DISCOUNT_GROUPS: &[Code] = &[("A", "Korting A"), ("B", "Korting B")];

/// Items that are no articles: item type, code, name, VAT rate group.
pub(super) const OTHER_ITEMS: &[(&str, &str, &str, &str)] = &[
    ("6", "VERZ", "Verzendkosten", "1"),
    ("6", "KORT", "Korting", "1"),
    ("3", "TEKST", "Tekst", "3"),
    ("5", "TOESLAG", "Toeslag", "1"),
];

/// VAT rate groups: code, name, percentage.
pub(in super::super) const RATE_GROUPS: &[(&str, &str, &str)] = &[
    ("1", "Hoog", "21"),
    ("2", "Laag", "9"),
    ("3", "Nul", "0"),
    ("4", "Vrijgesteld", "0"),
    ("5", "Marge", "0"),
    ("6", "Reisbureau", "0"),
    ("DE1", "Duitsland hoog", "19"),
    ("BE1", "België hoog", "21"),
];

/// Countries: AFAS's code, ISO's, the Dutch name.
pub(in super::super) const COUNTRIES: &[(&str, &str, &str)] = &[
    ("NL", "NL", "Nederland"),
    ("A", "AT", "Oostenrijk"),
    ("B", "BE", "België"),
    ("BG", "BG", "Bulgarije"),
    ("HR", "HR", "Kroatië"),
    ("CY", "CY", "Cyprus"),
    ("CZ", "CZ", "Tsjechië"),
    ("D", "DE", "Duitsland"),
    ("DK", "DK", "Denemarken"),
    ("EE", "EE", "Estland"),
    ("E", "ES", "Spanje"),
    ("FIN", "FI", "Finland"),
    ("F", "FR", "Frankrijk"),
    ("GR", "GR", "Griekenland"),
    ("H", "HU", "Hongarije"),
    ("IRL", "IE", "Ierland"),
    ("I", "IT", "Italië"),
    ("LT", "LT", "Litouwen"),
    ("L", "LU", "Luxemburg"),
    ("LV", "LV", "Letland"),
    ("M", "MT", "Malta"),
    ("PL", "PL", "Polen"),
    ("P", "PT", "Portugal"),
    ("RO", "RO", "Roemenië"),
    ("S", "SE", "Zweden"),
    ("SLO", "SI", "Slovenië"),
    ("SK", "SK", "Slowakije"),
    ("N", "NO", "Noorwegen"),
    ("FL", "LI", "Liechtenstein"),
    ("GIB", "GI", "Gibraltar"),
    ("CH", "CH", "Zwitserland"),
    ("GB", "GB", "Verenigd Koninkrijk"),
    ("USA", "US", "Verenigde Staten"),
    ("CDN", "CA", "Canada"),
    ("AUS", "AU", "Australië"),
    ("J", "JP", "Japan"),
    ("CN", "CN", "China"),
    ("IND", "IN", "India"),
    ("RI", "ID", "Indonesië"),
    ("RUS", "RU", "Rusland"),
    ("RCH", "CL", "Chili"),
    ("RA", "AR", "Argentinië"),
    ("BR", "BR", "Brazilië"),
    ("MEX", "MX", "Mexico"),
    ("RC", "TW", "Taiwan"),
    ("ROK", "KR", "Zuid-Korea"),
    ("KO", "KP", "Noord-Korea"),
    ("SGP", "SG", "Singapore"),
    ("T", "TH", "Thailand"),
    ("RP", "PH", "Filipijnen"),
    ("MAL", "MY", "Maleisië"),
    ("ET", "EG", "Egypte"),
    ("ETH", "ET", "Ethiopië"),
    ("IRQ", "IQ", "Irak"),
    ("RL", "LB", "Libanon"),
    ("SYR", "SY", "Syrië"),
    ("AS", "SA", "Saoedi-Arabië"),
    ("HKJ", "JO", "Jordanië"),
    ("KWT", "KW", "Koeweit"),
    ("SME", "SR", "Suriname"),
    ("ROU", "UY", "Uruguay"),
    ("YV", "VE", "Venezuela"),
    ("EAK", "KE", "Kenia"),
    ("EAT", "TZ", "Tanzania"),
    ("EAU", "UG", "Oeganda"),
    ("WAN", "NG", "Nigeria"),
    ("WAG", "GM", "Gambia"),
    ("SN", "SN", "Senegal"),
    ("SD", "SZ", "Eswatini"),
    ("SUD", "SD", "Soedan"),
    ("SWA", "NA", "Namibië"),
    ("ZRE", "CD", "Congo-Kinshasa"),
    ("RB", "BW", "Botswana"),
    ("RMM", "ML", "Mali"),
    ("RN", "NE", "Niger"),
    ("RIM", "MR", "Mauritanië"),
    ("BRN", "BH", "Bahrein"),
    ("BH", "BZ", "Belize"),
    ("CL", "LK", "Sri Lanka"),
    ("EL", "SV", "El Salvador"),
    ("AN", "AO", "Angola"),
    ("TC", "CM", "Kameroen"),
    ("RU", "BI", "Burundi"),
    ("LB", "LR", "Liberia"),
    ("SY", "SC", "Seychellen"),
    ("TR", "TR", "Turkije"),
    ("UA", "UA", "Oekraïne"),
    ("ZA", "ZA", "Zuid-Afrika"),
    ("NZ", "NZ", "Nieuw-Zeeland"),
];

/// Is the code in the table?
pub(super) fn holds(table: &[Code], code: &str) -> bool {
    table.iter().any(|(known, _)| known.eq_ignore_ascii_case(code.trim_end()))
}
