import Enrollment
import Foundation
import OperatorAPI
import OperatorServer
import Testing
import Yams

/// The description of the API, held to the table of operations and to the domain's words.
struct OpenAPITests {
    private static let methods = ["get", "put", "post", "delete", "patch", "head", "options", "trace"]

    private func document() throws -> [String: Any] {
        let text = String(decoding: OperatorFront.openAPI, as: UTF8.self)
        return try #require(try Yams.load(yaml: text) as? [String: Any])
    }

    private func operations() throws -> [(path: String, method: String, content: [String: Any])] {
        let paths = try #require(try document()["paths"] as? [String: [String: Any]])
        return paths.flatMap { path, item in
            item.compactMap { method, content in
                guard Self.methods.contains(method), let content = content as? [String: Any] else { return nil }
                return (path, method, content)
            }
        }
    }

    @Test func `it describes every operation with its method, path and role, and no other`() throws {
        let described = try operations().map { operation in
            let name = operation.content["operationId"] as? String ?? "unnamed"
            let role = operation.content["x-role"] as? String ?? "unsaid"
            return "\(name) \(operation.method.uppercased()) \(operation.path) \(role)"
        }
        let table = OperatorOperation.allCases.map { operation in
            let role = operation.role?.rawValue ?? "none"
            return
                "\(operation.rawValue) \(operation.method.rawValue) \(OperatorOperation.root)\(operation.path) \(role)"
        }
        #expect(described.sorted() == table.sorted())
    }

    @Test func `every operation has words for people, and tells its refusals`() throws {
        for operation in try operations() {
            #expect(operation.content["summary"] is String, "\(operation.path)")
            #expect(operation.content["description"] is String, "\(operation.path)")
            let responses = try #require(operation.content["responses"] as? [String: Any])
            #expect(responses["400"] != nil, "\(operation.path)")
            guard operation.content["operationId"] as? String != "getOpenAPI" else { continue }
            for status in ["401", "403", "500", "503"] { #expect(responses[status] != nil, "\(operation.path)") }
            if operation.method != "get" {
                for status in ["408", "409", "413", "422"] { #expect(responses[status] != nil, "\(operation.path)") }
            }
            if operation.content["requestBody"] != nil { #expect(responses["415"] != nil, "\(operation.path)") }
        }
    }

    @Test func `it lists the reasons of refusals, the roles and the choices that the domain knows`() throws {
        let components = try #require(try document()["components"] as? [String: Any])
        let schemas = try #require(components["schemas"] as? [String: [String: Any]])
        func choices(_ schema: String, _ member: String? = nil) -> [String] {
            let found = schemas[schema] ?? [:]
            guard let member else { return found["enum"] as? [String] ?? [] }
            let properties = found["properties"] as? [String: [String: Any]]
            return properties?[member]?["enum"] as? [String] ?? []
        }
        #expect(choices("RefusalReason") == RefusalReason.allCases.map(\.rawValue))
        #expect(choices("Role") == OperatorRole.allCases.map(\.rawValue))
        #expect(choices("FleetDescription", "policy") == EnrollmentPolicy.allCases.map(\.rawValue))
        #expect(choices("FleetAnchor", "deviceID") == DeviceIDRule.names)
        #expect(choices("FleetAnchor", "keyChange") == KeyChangeRule.allCases.map(\.rawValue))
    }
}
