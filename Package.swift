// swift-tools-version: 6.2
// The house: one target a module, each with exactly the settings below. Which module may import which
// is agreed in Sources/README.md and held by Tests/ArchitectureTests.

import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// How the programs are linked on Linux: by the toolchain's own linker, with relocations in short form and no table of
/// the program's own symbols, which nobody looks up at run time. The kernel counts 4 to 6 MB less as resident. What a
/// profile tells to run often (`ops/profiles`) comes together, and not each object's beside the rest of it.
let linking: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs", "-Xlinker", "--no-export-dynamic",
            "-Xlinker", "-z", "-Xlinker", "keep-text-section-prefix",
        ],
        .when(platforms: [.linux])
    )
]

extension Target.Dependency {
    static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let asn1 = product(name: "SwiftASN1", package: "swift-asn1")
    static let configuration = product(name: "Configuration", package: "swift-configuration")
    static let coreMetrics = product(name: "CoreMetrics", package: "swift-metrics")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let cryptoExtras = product(name: "CryptoExtras", package: "swift-crypto")
    static let deque = product(name: "DequeModule", package: "swift-collections")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let jwtKit = product(name: "JWTKit", package: "jwt-kit")
    static let lifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let logging = product(name: "Logging", package: "swift-log")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioFoundation = product(name: "NIOFoundationCompat", package: "swift-nio")
    static let nioTLS = product(name: "NIOTLS", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let subprocess = product(name: "Subprocess", package: "swift-subprocess")
    static let systemPackage = product(name: "SystemPackage", package: "swift-system")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let x509 = product(name: "X509", package: "swift-certificates")
    static let yams = product(name: "Yams", package: "Yams")
}

/// A Swift module of the house, under `Sources/<name>`.
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// A module's tests, under `Tests/<name>`.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "muster",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "muster", targets: ["muster"]),
        .executable(name: "muster-sim", targets: ["fleetsim"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // C libraries: module maps and inline shims, nothing else. Each is imported by exactly one module.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),

        // Libraries that know nothing of enrollment.
        module("DEROctets", []),
        module("OpenSSL", ["COpenSSL", "DEROctets"]),
        module("Postgres", ["CLibpq", .deque, .lifecycle, .logging]),
        module("MQTT", ["CMosquitto", .logging]),
        module("EST", ["DEROctets", .asn1]),
        module("LocalServers", [.logging, .subprocess, .systemPackage]),
        module("Prometheus", [.coreMetrics]),
        module("OperatorAPI", []),
        module("FrontBounds", [.nioCore]),

        // What is decided and signed.
        module("PKI", ["DEROctets", "OpenSSL", .asn1, .crypto, .cryptoExtras, .x509]),
        module("Enrollment", ["PKI", .crypto, .logging, .x509]),

        // Adapters and fronts.
        .target(
            name: "Schema",
            path: "db",
            exclude: ["README.md"],
            sources: ["Schema.swift"],
            resources: [.embedInCode("migrations"), .embedInCode("schema.sql"), .embedInCode("roles.sql")],
            swiftSettings: [.swiftLanguageMode(.v6)]
        ),
        module(
            "EnrollmentPostgres",
            ["Enrollment", "PKI", "Postgres", "Schema", .asn1, .deque, .lifecycle, .logging, .x509]
        ),
        module("EnrollmentMQTT", ["Enrollment", "MQTT", "PKI", .lifecycle, .logging]),
        module("Agent", ["OpenSSL", "PKI", .asn1, .crypto, .logging, .subprocess, .systemPackage]),
        module(
            "ESTServer",
            [
                "EST", "Enrollment", "FrontBounds", "PKI", .asn1, .crypto, .lifecycle, .logging, .nioCore, .nioHTTP1,
                .nioPosix, .nioSSL, .nioTLS, .x509,
            ]
        ),
        .target(
            name: "OperatorServer",
            dependencies: [
                "Enrollment", "OperatorAPI", "PKI", .asn1, .crypto, .httpTypes, .hummingbird, .hummingbirdCore, .jwtKit,
                .lifecycle, .logging, .nioCore, .nioSSL, .nioTLS, .x509,
            ],
            resources: [.embedInCode("openapi.yaml")],
            swiftSettings: settings
        ),
        module(
            "StatusServer",
            [
                "EST", "Enrollment", "FrontBounds", "PKI", .asn1, .crypto, .httpTypes, .hummingbird, .hummingbirdCore,
                .lifecycle, .logging, .nioCore, .nioHTTP1,
            ]
        ),

        // Executables.
        .executableTarget(
            name: "muster",
            dependencies: [
                "Agent", "EST", "ESTServer", "Enrollment", "EnrollmentMQTT", "EnrollmentPostgres", "FrontBounds",
                "LocalServers", "MQTT",
                "OpenSSL",
                "OperatorAPI", "OperatorServer", "PKI", "Postgres", "Prometheus", "Schema",
                "StatusServer", .argumentParser, .asn1, .asyncHTTPClient, .configuration, .coreMetrics, .crypto,
                .lifecycle, .logging, .nioCore,
                .nioFoundation, .nioHTTP1, .nioPosix,
                .nioSSL, .unixSignals, .x509, .yams,
            ],
            swiftSettings: settings,
            linkerSettings: linking
        ),
        .executableTarget(
            name: "fleetsim",
            dependencies: [
                "EST", "MQTT", "OperatorAPI", "PKI", "Postgres", .argumentParser, .asn1, .crypto, .cryptoExtras,
                .logging,
                .nioCore, .nioHTTP1, .nioPosix, .nioSSL, .x509, .yams,
            ],
            path: "simulators/fleetsim",
            swiftSettings: settings,
            linkerSettings: linking
        ),

        // Tests: one folder a module, a kit, the architecture test, and the whole on real peers.
        .target(
            name: "TestPeers",
            dependencies: ["LocalServers", .logging, .subprocess, .systemPackage],
            path: "Tests/TestPeers",
            swiftSettings: settings
        ),
        .target(
            name: "TestKit",
            dependencies: [
                "Enrollment", "PKI", "OpenSSL", "TestPeers", .asn1, .crypto, .cryptoExtras, .logging, .x509,
            ],
            path: "Tests/TestKit",
            swiftSettings: settings
        ),
        tests("ArchitectureTests", []),
        tests("DEROctetsTests", ["DEROctets", .asn1]),
        tests("OpenSSLTests", ["OpenSSL", "TestPeers"]),
        tests("PKITests", ["PKI", "OpenSSL", "TestKit", "TestPeers", .asn1, .crypto, .cryptoExtras, .x509]),
        tests("ESTTests", ["EST", "TestPeers", .asn1]),
        tests("EnrollmentTests", ["Enrollment", "PKI", "OpenSSL", "TestKit", .crypto, .x509]),
        tests("PostgresTests", ["Postgres", "TestPeers", .logging]),
        tests(
            "EnrollmentPostgresTests",
            [
                "EnrollmentPostgres", "Enrollment", "PKI", "OpenSSL", "Postgres", "Schema", "TestKit", "TestPeers",
                .crypto, .logging,
            ]
        ),
        tests("MQTTTests", ["MQTT", "TestPeers", .logging]),
        tests(
            "MusterTests",
            [
                "Agent", "muster", "Enrollment", "EnrollmentPostgres", "OperatorAPI", "PKI", "OpenSSL", "TestPeers",
                .argumentParser, .asn1, .crypto, .logging,
                .nioCore, .x509,
            ]
        ),
        tests(
            "OperatorServerTests",
            [
                "OperatorServer", "OperatorAPI", "Enrollment", "EnrollmentPostgres", "PKI", "OpenSSL", "Postgres",
                "Schema",
                "TestKit", "TestPeers", .asn1, .crypto, .jwtKit, .logging, .nioPosix, .nioSSL, .x509, .yams,
            ]
        ),
        tests("AgentTests", ["Agent", "OpenSSL", "PKI", "TestKit", "TestPeers", .asn1, .crypto, .logging]),
        tests("EnrollmentMQTTTests", ["EnrollmentMQTT", "Enrollment", "PKI"]),
        tests(
            "ESTServerTests",
            ["ESTServer", "Enrollment", "FrontBounds", "TestKit", .nioCore, .nioEmbedded, .nioSSL]
        ),
        tests("PrometheusTests", ["Prometheus", .coreMetrics]),
        tests(
            "FleetSimTests",
            [
                "fleetsim", "EST", "Postgres", "Schema", "TestPeers", .argumentParser, .asn1, .crypto, .nioCore,
                .nioHTTP1, .nioPosix, .nioSSL, .x509,
            ]
        ),
        tests("LocalServersTests", ["LocalServers", "TestPeers", .logging]),
        // The executables are built for these tests, which run them as their users do.
        tests("IntegrationTests", ["TestPeers", "muster", "fleetsim"]),
    ]
)

// Fuzz targets, for `ops/fuzz` alone: their `main` is libFuzzer's, so no ordinary build may know them.
if Context.environment["MUSTER_FUZZ"] != nil {
    func fuzzing(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
        .executableTarget(
            name: name,
            dependencies: dependencies + ["FuzzDriver", "FuzzKit"],
            path: "Tests/Fuzzing/\(name)",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]
        )
    }
    package.targets += [
        .target(name: "FuzzDriver", path: "Tests/Fuzzing/FuzzDriver"),
        .target(name: "FuzzKit", path: "Tests/Fuzzing/FuzzKit", swiftSettings: settings),
        .target(
            name: "FuzzFleet",
            dependencies: ["Enrollment", "FuzzKit", "OpenSSL", "PKI", .asn1, .crypto, .x509],
            path: "Tests/Fuzzing/FuzzFleet",
            swiftSettings: settings
        ),
        fuzzing("FuzzESTBody", ["EST", .asn1]),
        fuzzing("FuzzCSRPolicy", ["Enrollment", "FuzzFleet", "PKI", .asn1, .crypto, .x509]),
        fuzzing("FuzzDeviceID", ["Enrollment", "FuzzFleet", "PKI", .asn1, .crypto, .x509]),
        fuzzing("FuzzOCSP", ["Enrollment", "FuzzFleet", "PKI", .asn1]),
        fuzzing("FuzzPublicFront", ["EST"]),
    ]
}
