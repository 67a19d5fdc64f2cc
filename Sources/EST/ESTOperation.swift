/// The operations of EST (RFC 7030 section 3.2.2), by the names that stand in their paths.
package enum ESTOperation: String, CaseIterable, Hashable, Sendable {
    /// CA certificates (section 4.1).
    case cacerts
    /// Enrollment of a client (section 4.2.1).
    case simpleenroll
    /// Renewal or rekey (section 4.2.2).
    case simplereenroll
    /// Full CMC (section 4.3); optional.
    case fullcmc
    /// Key generation by the server (section 4.4); optional.
    case serverkeygen
    /// What the CA wants to see in a request (section 4.5); optional.
    case csrattrs

    /// The only method that the operation takes.
    package enum Method: String, Hashable, Sendable {
        case get = "GET"
        case post = "POST"
    }

    /// The HTTP method; any other is answered 405 with `Allow` (EST-02).
    package var method: Method {
        switch self {
        case .cacerts, .csrattrs: .get
        case .simpleenroll, .simplereenroll, .fullcmc, .serverkeygen: .post
        }
    }

    /// The media type of the request's body; nil where the method is GET.
    package var requestMediaType: ESTMediaType? {
        switch self {
        case .cacerts, .csrattrs: nil
        case .simpleenroll, .simplereenroll, .serverkeygen: .pkcs10
        case .fullcmc: .cmcRequest
        }
    }

    /// The media type of a 200 answer's body.
    package var responseMediaType: ESTMediaType {
        switch self {
        case .cacerts, .simpleenroll, .simplereenroll: .certsOnly
        case .fullcmc: .cmcResponse
        case .serverkeygen: .multipartMixed
        case .csrattrs: .csrattrs
        }
    }
}
