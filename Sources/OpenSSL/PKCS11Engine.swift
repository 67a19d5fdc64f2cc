import COpenSSL
import Glibc
import Synchronization

/// Private keys in PKCS#11 tokens, through OpenSSL's engine `pkcs11` (libp11; Debian: libengine-pkcs11-openssl).
///
/// Threads. libp11 takes a session of its own from a pool of the slot for each signature, under a mutex of its own, and
/// tells the module to lock by the system's means (CKF_OS_LOCKING_OK), so many threads may sign at once. Opening a key
/// is not so: it searches, logs in and refills the slot's list of objects without a lock, and freeing a key counts down
/// references into that list. Therefore `lock` is held alone to open and to free, and shared to sign.
///
/// Life. One module is loaded by a process, once, and never unloaded: libp11's end of life (C_Finalize) while a thread
/// signs, or after the module's own destructors have run at exit, would crash; the process' end closes the sessions. A
/// child made by fork must not use a key before exec; ours are all followed by exec.
enum PKCS11Engine {
    /// The most octets of a PIN.
    static let pinOctetsMax = 255
    private static let identifier = "pkcs11"

    static let lock = TokenLock()
    /// The module that was loaded first.
    private static let loaded = Mutex<Loaded?>(nil)

    /// An engine that is ready, kept for good.
    ///
    /// `@unchecked Sendable`, proved thus: the pointer is only used while `PKCS11Engine.lock` is held alone.
    @safe private struct Loaded: @unchecked Sendable {
        let modulePath: String
        let engine: OpaquePointer
    }

    /// Logs in to the token and finds the key. Never asks on a terminal.
    static func privateKey(uri: String, modulePath: String, pin: [UInt8]) throws(OpenSSLError) -> PrivateKey {
        // Set free before PrivateKey takes over, since that frees its key under the same lock if it fails.
        let key = try lock.alone { () throws(OpenSSLError) -> TokenKey in
            let engine = try loaded.withLock { current throws(OpenSSLError) -> Loaded in
                if let current { return current }
                let ready = try load(modulePath: modulePath)
                current = ready
                return ready
            }
            guard engine.modulePath == modulePath else {
                throw OpenSSLError(
                    operation: "load the PKCS#11 module \(modulePath)",
                    reasons: [
                        "this process has loaded \(engine.modulePath), and takes one module alone; "
                            + "p11-kit-proxy.so can stand for several"
                    ]
                )
            }
            return try unsafe find(uri, in: engine.engine, pin: pin)
        }
        return try unsafe PrivateKey(owning: key.pointer, isInToken: true)
    }

    /// A key on its way to its owner, on one thread.
    @safe private struct TokenKey {
        let pointer: OpaquePointer
    }

    private static func find(_ uri: String, in engine: OpaquePointer, pin: [UInt8]) throws(OpenSSLError) -> TokenKey {
        let operation = "open the key in the PKCS#11 token"
        ErrorQueue.clear()
        var terminated = pin.map { CChar(bitPattern: $0) } + [0]
        defer {
            // Not for the engine's copy, which it keeps to log in again, but for ours.
            unsafe terminated.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
        }
        guard unsafe ENGINE_ctrl_cmd_string(engine, "PIN", terminated, 0) == 1 else {
            throw ErrorQueue.drain(operation)
        }
        guard let key = unsafe ENGINE_load_private_key(engine, uri, UI_null(), nil) else {
            throw ErrorQueue.drain(operation, reason: "no such token or key, or a wrong PIN, for \(uri)")
        }
        return unsafe TokenKey(pointer: key)
    }

    private static func load(modulePath: String) throws(OpenSSLError) -> Loaded {
        let operation = "load the PKCS#11 module \(modulePath)"
        // libp11 loads it at the first key, and would be bound to a wrong path by then. Never closed: see above.
        guard let module = unsafe dlopen(modulePath, RTLD_NOW | RTLD_LOCAL) else {
            throw OpenSSLError(
                operation: operation,
                reasons: [unsafe dlerror().map { unsafe String(cString: $0) } ?? ""]
            )
        }
        guard unsafe dlsym(module, "C_GetFunctionList") != nil else {
            throw OpenSSLError(operation: operation, reasons: ["it is no PKCS#11 module"])
        }
        ErrorQueue.clear()
        OPENSSL_init_crypto(UInt64(OPENSSL_INIT_ENGINE_DYNAMIC), nil)
        guard let engine = unsafe ENGINE_by_id(identifier) else {
            throw ErrorQueue.drain(
                operation,
                reason: "OpenSSL's engine pkcs11 is not installed (Debian: apt install libengine-pkcs11-openssl)"
            )
        }
        guard unsafe ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", modulePath, 0) == 1,
            unsafe ENGINE_init(engine) == 1
        else {
            unsafe ENGINE_free(engine)
            throw ErrorQueue.drain(operation)
        }
        return unsafe Loaded(modulePath: modulePath, engine: engine)
    }
}
