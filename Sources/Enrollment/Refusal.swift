/// Why an enrollment was refused: a code for programs, a class for the front, and words for people.
package struct Refusal: Error, Hashable, Sendable {
    package let reason: RefusalReason
    /// One line: what is wrong and what to do. Never raw bytes of the request.
    package let detail: String

    package init(_ reason: RefusalReason, _ detail: String) {
        self.reason = reason
        self.detail = detail.plain(max: 300)
    }
}

extension String {
    /// At most `max` characters of it, those that do not print replaced: a stranger's text, fit for a record that takes
    /// no NUL and for a log of lines.
    func plain(max: Int) -> String {
        // The common case, since categories of scalars are looked up one by one.
        if utf8.count <= max, utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return self }
        return String(unicodeScalars.prefix(max).map { $0.properties.isPrintable ? Character($0) : "?" })
    }
}

extension Unicode.Scalar.Properties {
    fileprivate var isPrintable: Bool {
        switch generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}

/// The reasons, by code. Each has a class that decides its HTTP status in one place, and the rule it stands for.
package enum RefusalReason: String, CaseIterable, Hashable, Sendable {
    case requestUnreadable = "request-unreadable"
    case requestTooLarge = "request-too-large"
    case mediaTypeNotAccepted = "media-type-not-accepted"
    case keyNotAccepted = "key-not-accepted"
    case signatureInvalid = "signature-invalid"
    case authorityRequested = "authority-requested"
    case subjectMismatch = "subject-mismatch"
    case namesNotAllowed = "names-not-allowed"
    case keyOfAnotherDevice = "key-of-another-device"
    case keyOfAuthority = "key-of-authority"
    case keyOfBootstrapCredential = "key-of-bootstrap-credential"
    case clientCertificateRequired = "client-certificate-required"
    case certificateNotTrusted = "certificate-not-trusted"
    case certificateNotValid = "certificate-not-valid"
    case bootstrapCredentialRequired = "bootstrap-credential-required"
    case deviceIDMissing = "device-id-missing"
    case deviceHasAnotherKey = "device-has-another-key"
    case deviceOfAnotherAnchor = "device-of-another-anchor"
    case certificateUnknown = "certificate-unknown"
    case certificateSuperseded = "certificate-superseded"
    case certificateRevoked = "certificate-revoked"
    case deviceRevoked = "device-revoked"
    case deviceHeld = "device-held"
    case anchorBlocked = "anchor-blocked"
    case credentialBlocked = "credential-blocked"
    case outsideValidityWindow = "outside-validity-window"
    case deviceNotRegistered = "device-not-registered"
    case keyNotRegistered = "key-not-registered"
    case idevidNotRegistered = "idevid-not-registered"
    case credentialDeviceLimit = "credential-device-limit"
    case credentialRateLimit = "credential-rate-limit"
    case anchorDeviceLimit = "anchor-device-limit"
    case anchorRateLimit = "anchor-rate-limit"
    case approvalRejected = "approval-rejected"
    case approvalQueueFull = "approval-queue-full"

    /// Whose move it is.
    package enum Class: Hashable, Sendable {
        /// The request itself is wrong; another one may pass.
        case badRequest
        /// Nobody showed a certificate.
        case unauthenticated
        /// The device may not do this.
        case forbidden
    }

    package var `class`: Class {
        switch self {
        case .requestUnreadable, .requestTooLarge, .mediaTypeNotAccepted, .keyNotAccepted, .signatureInvalid,
            .authorityRequested, .subjectMismatch, .namesNotAllowed, .keyOfAnotherDevice, .keyOfAuthority,
            .keyOfBootstrapCredential:
            .badRequest
        case .clientCertificateRequired: .unauthenticated
        case .certificateNotTrusted, .certificateNotValid, .bootstrapCredentialRequired, .deviceIDMissing,
            .deviceHasAnotherKey, .deviceOfAnotherAnchor, .certificateUnknown, .certificateSuperseded,
            .certificateRevoked, .deviceRevoked, .deviceHeld, .anchorBlocked, .credentialBlocked,
            .outsideValidityWindow, .deviceNotRegistered, .keyNotRegistered, .idevidNotRegistered,
            .credentialDeviceLimit, .credentialRateLimit,
            .anchorDeviceLimit, .anchorRateLimit, .approvalRejected, .approvalQueueFull:
            .forbidden
        }
    }

    /// The stage at which it falls.
    package var stage: EnrollmentStage {
        switch self {
        case .clientCertificateRequired, .certificateNotTrusted, .certificateNotValid, .bootstrapCredentialRequired:
            .identity
        case .requestUnreadable, .requestTooLarge, .mediaTypeNotAccepted, .keyNotAccepted, .signatureInvalid,
            .authorityRequested:
            .request
        case .subjectMismatch, .namesNotAllowed, .deviceIDMissing: .names
        case .keyOfAnotherDevice, .keyOfAuthority, .keyOfBootstrapCredential, .deviceHasAnotherKey,
            .deviceOfAnotherAnchor, .certificateUnknown, .certificateSuperseded, .certificateRevoked, .deviceRevoked,
            .deviceHeld, .anchorBlocked, .credentialBlocked, .outsideValidityWindow, .deviceNotRegistered,
            .keyNotRegistered, .idevidNotRegistered,
            .credentialDeviceLimit, .credentialRateLimit, .anchorDeviceLimit, .anchorRateLimit, .approvalRejected,
            .approvalQueueFull:
            .policy
        }
    }

    /// True if the credential is marked for the operator: it came up against a limit.
    package var marksCredential: Bool {
        switch self {
        case .outsideValidityWindow, .credentialDeviceLimit, .credentialRateLimit, .anchorDeviceLimit,
            .anchorRateLimit:
            true
        case .requestUnreadable, .requestTooLarge, .mediaTypeNotAccepted, .keyNotAccepted, .signatureInvalid,
            .authorityRequested, .subjectMismatch, .namesNotAllowed, .keyOfAnotherDevice, .keyOfAuthority,
            .keyOfBootstrapCredential, .clientCertificateRequired, .certificateNotTrusted, .certificateNotValid,
            .bootstrapCredentialRequired, .deviceIDMissing, .deviceHasAnotherKey, .deviceOfAnotherAnchor,
            .certificateUnknown, .certificateSuperseded, .certificateRevoked, .deviceRevoked, .deviceHeld,
            .anchorBlocked, .credentialBlocked, .deviceNotRegistered, .keyNotRegistered, .idevidNotRegistered,
            .approvalRejected, .approvalQueueFull:
            false
        }
    }
}

/// How far an attempt came.
package enum EnrollmentStage: String, Hashable, Sendable {
    case identity, request, names, policy, issue
}
