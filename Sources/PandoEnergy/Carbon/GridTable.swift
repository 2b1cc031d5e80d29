/// The carbon intensity of countries' electricity in 2023, in grams of CO₂ equivalent for each kilowatt-hour generated, over
/// the life cycle of the plants.
///
/// Source: Ember, Yearly Electricity Data (2024), as published by Our World in Data, "Carbon intensity of electricity
/// generation". The world's figure: Ember, Global Electricity Review 2024.
enum GridTable {
  static let year = 2023
  static let source = "Ember 2024"
  /// The world's mean.
  static let world = 480.0

  /// A country: its codes of two and three letters (ISO 3166-1), grams for each kilowatt-hour, and its name.
  struct Row: Hashable, Sendable {
    let code: String
    let longCode: String
    let gramsPerKilowattHour: Double
    let name: String
  }

  /// In the order of the codes.
  static let rows: [Row] = text.split(separator: "\n").compactMap { line in
    let parts = line.split(separator: " ", maxSplits: 3).map(String.init)
    guard parts.count == 4, let grams = Double(parts[2]) else { return nil }
    return Row(code: parts[0], longCode: parts[1], gramsPerKilowattHour: grams, name: parts[3])
  }

  private static let text = """
    AR ARG 354 Argentina
    AT AUT 111 Austria
    AU AUS 549 Australia
    BA BIH 600 Bosnia and Herzegovina
    BD BGD 691 Bangladesh
    BE BEL 138 Belgium
    BG BGR 335 Bulgaria
    BO BOL 532 Bolivia
    BR BRA 98 Brazil
    CA CAN 170 Canada
    CH CHE 35 Switzerland
    CL CHL 291 Chile
    CN CHN 582 China
    CO COL 260 Colombia
    CR CRI 53 Costa Rica
    CY CYP 534 Cyprus
    CZ CZE 450 Czechia
    DE DEU 381 Germany
    DK DNK 152 Denmark
    EC ECU 150 Ecuador
    EE EST 417 Estonia
    EG EGY 570 Egypt
    ES ESP 174 Spain
    FI FIN 79 Finland
    FR FRA 56 France
    GB GBR 238 United Kingdom
    GE GEO 168 Georgia
    GR GRC 337 Greece
    HR HRV 205 Croatia
    HU HUN 204 Hungary
    IE IRL 291 Ireland
    IN IND 713 India
    IR IRN 655 Iran
    IT ITA 331 Italy
    JP JPN 485 Japan
    KE KEN 70 Kenya
    KR KOR 431 South Korea
    KW KWT 649 Kuwait
    KZ KAZ 821 Kazakhstan
    LT LTU 160 Lithuania
    LU LUX 105 Luxembourg
    LV LVA 123 Latvia
    MA MAR 630 Morocco
    MD MDA 643 Moldova
    ME MNE 417 Montenegro
    MK MKD 565 North Macedonia
    MM MMR 399 Myanmar
    MN MNG 775 Mongolia
    MT MLT 459 Malta
    MX MEX 507 Mexico
    NG NGA 523 Nigeria
    NL NLD 268 Netherlands
    NO NOR 30 Norway
    NZ NZL 113 New Zealand
    OM OMN 565 Oman
    PE PER 266 Peru
    PH PHL 611 Philippines
    PK PAK 441 Pakistan
    PL POL 662 Poland
    PT PRT 166 Portugal
    PY PRY 24 Paraguay
    QA QAT 602 Qatar
    RO ROU 241 Romania
    RS SRB 636 Serbia
    RU RUS 441 Russia
    SE SWE 41 Sweden
    SG SGP 471 Singapore
    SI SVN 231 Slovenia
    SK SVK 117 Slovakia
    SV SLV 271 El Salvador
    TH THA 550 Thailand
    TN TUN 564 Tunisia
    TR TUR 465 Turkey
    TW TWN 642 Taiwan
    US USA 369 United States
    UY URY 129 Uruguay
    VN VNM 475 Vietnam
    ZA ZAF 708 South Africa
    """
}
