import Enrollment
import Foundation
import OperatorAPI

extension API.Problem {
    static func notFound(_ code: String, _ detail: String) -> API.Problem {
        API.Problem(title: "Not found", status: 404, detail: detail, code: code)
    }

    /// A query parameter, a part of the path or a header that cannot be what it says.
    static func parameter(_ name: String, _ reason: String) -> API.Problem {
        API.Problem(
            title: "Bad request",
            status: 400,
            detail: "\(name) \(reason)",
            code: "parameter-invalid",
            faults: [Fault(at: name, reason: reason)]
        )
    }

    static func unreadable(_ detail: String) -> API.Problem {
        API.Problem(title: "Bad request", status: 400, detail: detail, code: "body-unreadable")
    }

    /// A body that can be read and is not what it must be.
    static func invalid(_ faults: [Fault]) -> API.Problem {
        let first = faults.first.map { $0.at.isEmpty ? "the body \($0.reason)" : "\($0.at) \($0.reason)" } ?? "the body"
        return API.Problem(
            title: "Unprocessable content",
            status: 422,
            detail: faults.count > 1 ? "\(first), and \(faults.count - 1) more; see faults" : first,
            code: "body-invalid",
            faults: faults
        )
    }

    static func tooLarge(_ detail: String) -> API.Problem {
        API.Problem(title: "Content too large", status: 413, detail: detail, code: "body-too-large")
    }

    static func tooSlow(_ detail: String) -> API.Problem {
        API.Problem(title: "Request timeout", status: 408, detail: detail, code: "body-too-slow")
    }

    static func mediaType(_ detail: String) -> API.Problem {
        API.Problem(title: "Unsupported media type", status: 415, detail: detail, code: "media-type-not-supported")
    }

    static func unauthenticated(_ code: String, _ detail: String) -> API.Problem {
        API.Problem(title: "Unauthorized", status: 401, detail: detail, code: code)
    }

    static func forbidden(_ code: String, _ detail: String) -> API.Problem {
        API.Problem(title: "Forbidden", status: 403, detail: detail, code: code)
    }

    static func conflict(_ code: String, _ detail: String) -> API.Problem {
        API.Problem(title: "Conflict", status: 409, detail: detail, code: code)
    }

    static let unavailable = API.Problem(
        title: "Service unavailable",
        status: 503,
        detail: "the record cannot be reached now; try again",
        code: "record-unavailable"
    )

    static let internalFault = API.Problem(
        title: "Internal server error",
        status: 500,
        detail: "a fault of the server; it has been logged with this answer's Request-Id",
        code: "internal-fault"
    )

    /// The one place where what broke meets HTTP. Nil for what must be logged and is nobody's business.
    static func of(_ error: any Error) -> API.Problem? {
        switch error {
        case let problem as API.Problem: problem
        case let fault as DocumentFault:
            fault == DocumentFault.notJSON
                ? .unreadable("the body is not JSON")
                : .invalid([Fault(at: fault.path, reason: fault.reason)])
        case let error as RecordError:
            switch error {
            case .unavailable, .overloaded: .unavailable
            case .broken: nil
            }
        case let error as FleetAdministrationError:
            switch error {
            case .noSuchFleet: .notFound("fleet-unknown", "\(error)")
            case .contended: .conflict("fleet-contended", "\(error)")
            }
        default: nil
        }
    }
}

extension DocumentFault {
    static let notJSON = DocumentFault(path: "", reason: "is not JSON")
}
