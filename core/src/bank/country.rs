//! Country codes: ISO 3166-1 alpha-2, for BICs.

/// The 249 officially assigned codes (2025), and `XK`: user-assigned, in use for Kosovo by SWIFT.
/// Two letters each, in order.
const CODES: &str = concat!(
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCN",
    "COCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHM",
    "HNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMK",
    "MLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURW",
    "SASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVI",
    "VNVUWFWSXKYEYTZAZMZW",
);

/// Is this the code of a country?
pub(super) fn is_known(code: &str) -> bool {
    let (pairs, _) = CODES.as_bytes().as_chunks::<2>();
    <[u8; 2]>::try_from(code.as_bytes()).is_ok_and(|code| pairs.binary_search(&code).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole_and_in_order() {
        let (pairs, rest) = CODES.as_bytes().as_chunks::<2>();
        assert!(rest.is_empty());
        assert_eq!(pairs.len(), 250);
        assert!(pairs.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn codes_that_are_countries_and_codes_that_are_not() {
        for code in ["AD", "GB", "DE", "XK", "ZW"] {
            assert!(is_known(code), "{code}");
        }
        for code in ["UK", "EU", "AA", "ZZ", "gb", "G", "GBR", ""] {
            assert!(!is_known(code), "{code}");
        }
    }
}
