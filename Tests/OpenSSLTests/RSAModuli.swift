/// RSA moduli of about 2048 bits, named by their fault. Made once by a Python program from seeded random numbers and 24
/// rounds of Miller and Rabin's test, as each says.
enum RSAModuli {
    /// p and q each k * M + (65537^a mod M), M the product of the first 126 primes: as Infineon's RSALib made them.
    static let roca = hexadecimal(
        """
        e612e85876c1e88bd10db24c6308f098ac673b59f9e406b2f65fda86e620a25d53ab0bb4ebc872d4b67fbc049ee9c1dbe65f
        57ea884b25085eddadc2befeeebcb0f16cac7b2dad69ed18d5b24e841ac134394fd92966016fc2c2709c6fdb470dd4ffd205
        e4ae51e581d63aff3c27cb44c5a5678be1048ad0e74fcbe5ed18e6c55e61bb794ff350c409fe10c5b0420ed4b50c0f995106
        f0f5259e90df6eafbea8ec74a1f3ce787b6659a23a7e5b21f8a1492a614a911a38ad090512d2c0487acb78710ff29f8102bf
        dccb17e381cc579fef46f0a1023e5b2870ea8101eda2e9f8eb17e2a0e9029a87784aaff72fdb7a1da5a68c4530c043215494
        771cb3da62bb
        """
    )

    /// p of 1024 bits, and the next prime above it.
    static let closePrimes = hexadecimal(
        """
        9efe57fc1aa1d7dc68a539744dc0934a1c370d30da4813fa79a9af88c7eb5f9cb5c841c1991655abae6a9b2635055656eb06
        d86f1661b41e1151c26ab014f4e8c97eb8c94dcb9054cc67735e2910faff39efe067494073eb4284adef581725abcac17373
        07cfdc4105c25f03d5bfd96b3feedf46ef62bc56c37fed73f217361e56ab5c826623131ed0db535e32196e06e0be7060c92f
        1f4fba10a753334fc959344f48f7281b79bcd81891c94a767af43e46572b1b10275250afda1beaf5bf31ce4274462988e44e
        687dc1076160c8bb6583bcead315cdf00d985b1b5ec745a66ef373b13b886329d3c635c9a31173d9d51ef902aa3b01222d96
        62c761ba6ec5
        """
    )

    /// p, and the next prime above p + sqrt(8 * 50 * p): Fermat's method takes about 50 steps.
    static let closePrimesAtStep50 = hexadecimal(
        """
        9efe57fc1aa1d7dc68a539744dc0934a1c370d30da4813fa79a9af88c7eb5f9cb5c841c1991655abae6a9b2635055656eb06
        d86f1661b41e1151c26ab014f4f6c77c9934a2cd23615cd2d9426c4e902399d7f67d0e57013adcc3654a41d12b0f20907820
        696d8392d4ef6317577b85f8fdeb143ef54dc171d8fff30330f67a2adc2c83bd5d2c2c4d75f603db891f51a7c91686c65c80
        89f0b13ae0d4867cdff5fb0e45791b04c8cbb9cb966ab92c141fc8c0d3f8365ff4cdf96c68a13fb64ab8deaa1e3bd98fae1d
        51ea6dfc86a7890d86a9879fd58a23c794dc19b48a4838df5afaa52122d4ad3a991732ea86c1343e08f01bf6517c4b8e5c77
        58270d340a15
        """
    )

    /// The same with 150 for 50: out of reach of 100 steps.
    static let primesBeyondStep100 = hexadecimal(
        """
        9efe57fc1aa1d7dc68a539744dc0934a1c370d30da4813fa79a9af88c7eb5f9cb5c841c1991655abae6a9b2635055656eb06
        d86f1661b41e1151c26ab014f50105afc7371a8d7eee8fa13c1bdc8db71c711c8cd199d1667e0cba68b4da74af496129060a
        e68ca1dec4003fd411f568da04ed2eb6bb306e637cd7776469f431afb1a8d273884acbff3451f014005fb6a8f0bdf94c24ae
        79303b8aea0190a05ca8a826098a10f5b7856703f4f30ce4b1e380ac4c5169c6219c10b950811213388b7abf364530e2ef6c
        5a38e664f6cb21003575095453d8a6d1e53b81a1c37daf0c6a8f95e15a188edfbdebf88fd63fe9dafdc432adafbd8e01cd0b
        97054bfa0711
        """
    )

    /// A prime of 2048 bits.
    static let prime = hexadecimal(
        """
        e54b5293d560ff8000d24ad1e26e6cf4dfb632eb89fe3ccfe34ebba177039f45d085e9598e2825dfdbda99527dd59af3611c
        b12ab8b8995eaa32cad2aa88ae7e4cac3c4ef2fe41d6504b709f841e8eefd0a935ca4a6d7a251224129ed8150b4b02b3184c
        3ab41b81973860245c8103ea80192d1cfcc69f0ec048abcfe253cdd46a7b5add99322c78743e886d7b8a922616373d3bbc46
        5d557d3130b73784670150c8325a3370bab6737ed8903f7ae8804242b6f1bf87b16673307d239a906e04a0bcbcf4470c6990
        6727c84e3a2451fca0613e75053711244fc1d11e5a2155ffe28412954ca6753db766b7b8bc4afbdaedd91c6357406ead6273
        62cf1a756c29
        """
    )

    /// A prime of 1024 bits, squared.
    static let square = hexadecimal(
        """
        cdd686e59b8dd35bd20b41e06de5f6f0eef219596820235280b97ce4651534a97b4532423c8c165874dd6448a000a4564176
        d457f8eac036b0797e6739b3ed6bc079001f98c8a3ed9512592fa3623aa2a58d7f9ea288d3b9026f0271c2164d82a81a5db3
        48a7650d4a1d3465aca51ec6e14347f46c5e16de231c90950fa9c0acb7c7db4db38109ac3f901cd75c9899a8b16882858848
        2e4a6f4781b7cfbe2a8cb0263c38974519ca10ce36693e145206aba915a84772f16ad2585973133af95ecc06523954f69f8c
        7441f48ae7c074e15ddd85eb70afe63057231039bf95408c386479964a8bba64e6bd55ab37d9beab72336b9dfeb73504149f
        01d1233304a9
        """
    )

    /// A prime of 683 bits, cubed.
    static let cube = hexadecimal(
        """
        1479c008647b7a7909f64bedf4097abb930f6c0e39bf5001e596a7cbbe239a1f91d034b441113f09a2341d76ddc0d31ea34b
        d1e85e3274d4155cce771be2173c5f6d8e2a76e5711532507b8ce3924990420c261dcf0d1ae1be759f9a439b1079efd264d6
        f4bc2cf39b8d7510302371019d0f7027adb3018558d00b37722f4367098d73c0f596ccba2d762af27f02e330384a0463c95b
        c2d33b22099c47d53502b76d1a7c48b42dc8da440ccdfef3ce7722094c72a893cf9c4d6244aa4c5970acf51f20fbb8f1e3df
        8a426f6d7e914ffb802dd00c19b9a5647a46aa21f53445575ea610e90dd5426d06bf8774e89ec507abbb073105b51b76e459
        0f4f60d3fd6e5
        """
    )

    /// A prime of 67 bits, to the power of 31.
    static let power31 = hexadecimal(
        """
        39e2a1f711c9403eb2598b0173180054d8346a0409f9c991a9860202bb8cd1e2b1ed21f5c48c836cdf1329e67f8b84bb26c2
        57507a3866febe32f6f728e65095fcbad4effa85a14f0f776bbe0f6c4d108554d2b7004c4e8367106074255848135929c60e
        e1251f7614302fc32e767e7ce7d018acd20d68e0ae1bde59ad11e836093b6f204fc6d083cbcbce02df87dd84a11f97141a58
        fceab08a9dd1ec810b2e48f5e9cd1a68348e086281c8f63a17dfae1ff3ea4472cb1ef9d2cdbe88009a4e3a927161bdbb9d7d
        0859568f1cdf13a7a6ab952e6fa5e3c80a19a3232c09a7ad01cab961f08886855fc22458e6d121fbb96c03f3a91516c91a50
        3d2726582b93755a3
        """
    )

    /// 65521, the greatest prime below 2^16, times a prime of 2032 bits.
    static let smallFactor = hexadecimal(
        """
        e99779af9a25f4719dadc4ff692094c6299ab346ea7f5627abc5b6c9b739c674394ab8436d5862fb8ec2eab23d1b486b7e69
        c4f762aa80f9a5839c9493c138b6922ec9f36041b6e13501a3a9ee2a65135f89156804009e15a3ae785995bdf6eaffed2740
        65558969068a835fa05eefe73e308fde347f2b2888635a9bcde9b8e6f3d1cc1ddc0c72503394d8246ebcf2c817fa3b59afef
        2f77fafa38f62855bd075d7254b22f615836023549e2004e8253ba31a1d588455d3588b3d1898e1d62a0d071a1f9dd8507c5
        6dd2283b75caa0f691551733eb9a2e08f5b8cd08630ea08d54d0f4003ab47d4eb3d459d9c777c1855e339e4dfa316b0488b0
        58019587158b
        """
    )

    /// 65537 times a prime of 2031 bits: beyond trial division.
    static let factorAbove16Bits = hexadecimal(
        """
        681d517263409260a0507d62c57ea4a71f414bfbd5653829ec84acd2b584a3c12d570dc22439dc24b984ded773618229340a
        618aa4b5c3eccd5b29584da24ead7559632d594bf526ec94e34c0aabf8974da2e53d3cfb70cc3bff5b96954aa1b64c9a3246
        fa05fff31ed057de9ccbf4ba07214fb2c6b4798bb1287af529685bbf859a084ddc21969cbe42e91e6c8fa26f9a6c11b901e7
        6b3da42d5b6be01585813d183265b5e1f44ec3064708b4ff8ed66e8d6671d906698b7bcfb2624816a5e7afd2e2e0556de91f
        b7673f9453fc1912e424637e340006e8410bf2796fbfc094ffce3abda76a7dd0bd051faa9cf4d665931884105c252aed0f8b
        980b2c78e1e1
        """
    )

    /// The octets that `text` writes; line ends do not count.
    static func hexadecimal(_ text: String) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue).map(UInt8.init)
        let whole = digits.count.isMultiple(of: 2) ? digits : [0] + digits
        return stride(from: 0, to: whole.count, by: 2).map { whole[$0] << 4 | whole[$0 + 1] }
    }
}
