import CMosquitto
import Glibc

/// What libmosquitto tells, on the thread that drives the handle.
protocol MosquittoReceiver: AnyObject {
    func connected(reasonCode: Int, sessionPresent: Bool)
    func disconnected(code: Int)
    func acknowledged(messageID: Int32, reasonCode: Int)
    func subscribed(messageID: Int32, reasonCode: Int)
    func received(_ message: MQTTMessage)
}

/// The owner of one `struct mosquitto` and its TLS context.
///
/// Made, used and freed on one thread: the library's own threads are not used, and it locks nothing for us. The user
/// data of the callbacks is the receiver, unretained: the handle keeps it alive until after the client is destroyed,
/// and callbacks come only from within calls on the handle.
@safe final class MosquittoHandle {
    private let client: OpaquePointer
    private let context: OpaquePointer
    private let receiver: any MosquittoReceiver
    private let box: ReceiverBox
    private let configuration: MQTTConfiguration

    /// Parses certificates and key; nothing is sent yet.
    init(_ configuration: MQTTConfiguration, receiver: any MosquittoReceiver) throws(MQTTError) {
        _ = Self.libraryIsReady
        unsafe context = try Self.context(configuration)
        let box = ReceiverBox(receiver)
        let user = unsafe Unmanaged.passUnretained(box).toOpaque()
        guard let client = unsafe mosquitto_new(configuration.clientID, configuration.cleanStart, user) else {
            unsafe SSL_CTX_free(context)
            throw .unreachable("the client identifier '\(configuration.clientID)' cannot be used")
        }
        unsafe self.client = client
        self.receiver = receiver
        self.box = box
        self.configuration = configuration
        unsafe mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, Int32(MQTT_PROTOCOL_V5))
        unsafe mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1)
        unsafe mosquitto_void_option(client, MOSQ_OPT_SSL_CTX, UnsafeMutableRawPointer(context))
        // With its defaults the library insists on files.
        unsafe mosquitto_int_option(client, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0)
        setCallbacks()
    }

    deinit {
        // The client has a reference to the context of its own, and gives it back here, however far it came.
        unsafe mosquitto_destroy(client)
        unsafe SSL_CTX_free(context)
    }

    /// The socket, for `poll`; nil if there is none.
    var socket: Int32? {
        let descriptor = unsafe mosquitto_socket(client)
        return descriptor >= 0 ? descriptor : nil
    }

    /// True if the library has bytes to send.
    var wantsToWrite: Bool { unsafe mosquitto_want_write(client) }
    /// True if received bytes wait that `poll` does not see.
    var hasPending: Bool { unsafe muster_pending(client) > 0 }
    /// What TLS said last when it failed.
    var tlsFailure: String? { box.tlsFailure }

    /// Resolves, connects (blocking) and begins the handshake.
    func connect() throws(MQTTError) {
        var properties: OpaquePointer?
        defer { unsafe mosquitto_property_free_all(&properties) }
        unsafe mosquitto_property_add_int32(
            &properties,
            Int32(MQTT_PROP_SESSION_EXPIRY_INTERVAL.rawValue),
            configuration.sessionExpirySeconds
        )
        unsafe mosquitto_property_add_int32(
            &properties,
            Int32(MQTT_PROP_MAXIMUM_PACKET_SIZE.rawValue),
            configuration.packetBytesMax
        )
        let status = unsafe mosquitto_connect_bind_v5(
            client,
            configuration.host,
            Int32(clamping: configuration.port),
            Int32(clamping: configuration.keepAliveSeconds),
            nil,
            properties
        )
        try check(status, errno)
    }

    func read() throws(MQTTError) { try check(unsafe mosquitto_loop_read(client, 1), errno) }
    func write() throws(MQTTError) { try check(unsafe mosquitto_loop_write(client, 1), errno) }
    /// Keep-alive and retries.
    func tick() throws(MQTTError) { try check(unsafe mosquitto_loop_misc(client), errno) }
    /// Queues a DISCONNECT.
    func disconnect() { unsafe mosquitto_disconnect_v5(client, 0, nil) }

    /// Queues a PUBLISH and gives its message id.
    func publish(_ topic: String, _ payload: [UInt8], qos: QoS, retain: Bool) throws(MQTTError) -> Int32 {
        var id: Int32 = 0
        let status = unsafe payload.withUnsafeBytes { bytes in
            unsafe mosquitto_publish_v5(
                client,
                &id,
                topic,
                Int32(clamping: bytes.count),
                bytes.baseAddress,
                qos.rawValue,
                retain,
                nil
            )
        }
        if status == Int32(MOSQ_ERR_OVERSIZE_PACKET.rawValue) { throw .tooLarge(bytes: payload.count) }
        if Self.topicErrors.contains(status) { throw .badTopic(topic) }
        try check(status, errno)
        return id
    }

    /// Queues a SUBSCRIBE of one filter and gives its message id.
    func subscribe(_ filter: String, qos: QoS) throws(MQTTError) -> Int32 {
        var id: Int32 = 0
        let status = unsafe mosquitto_subscribe_v5(client, &id, filter, qos.rawValue, 0, nil)
        if Self.topicErrors.contains(status) { throw .badTopic(filter) }
        try check(status, errno)
        return id
    }

    private func check(_ status: Int32, _ systemError: Int32) throws(MQTTError) {
        guard status != Int32(MOSQ_ERR_SUCCESS.rawValue) else { return }
        if let failure = box.tlsFailure { throw .tls(failure) }
        if status == Int32(MOSQ_ERR_NO_CONN.rawValue) { throw .notConnected }
        // The library's word for any end of the TLS stream that is not orderly.
        if status == Int32(MOSQ_ERR_ERRNO.rawValue), systemError == EPROTO {
            throw .tls("the broker broke it off; it may not accept the client's certificate")
        }
        let text =
            status == Int32(MOSQ_ERR_ERRNO.rawValue)
            ? unsafe strerror(systemError).map { unsafe String(cString: $0) }
            : unsafe mosquitto_strerror(status).map { unsafe String(cString: $0) }
        throw .unreachable(text ?? "error \(status)")
    }

    private func setCallbacks() {
        unsafe mosquitto_connect_v5_callback_set(client) { _, user, reason, flags, _ in
            unsafe ReceiverBox.of(user)?.receiver?.connected(reasonCode: Int(reason), sessionPresent: flags & 1 != 0)
        }
        unsafe mosquitto_disconnect_v5_callback_set(client) { _, user, code, _ in
            unsafe ReceiverBox.of(user)?.receiver?.disconnected(code: Int(code))
        }
        unsafe mosquitto_publish_v5_callback_set(client) { _, user, id, reason, _ in
            unsafe ReceiverBox.of(user)?.receiver?.acknowledged(messageID: id, reasonCode: Int(reason))
        }
        unsafe mosquitto_subscribe_v5_callback_set(client) { _, user, id, count, codes, _ in
            let reason = unsafe count > 0 ? codes.map { unsafe Int($0.pointee) } : nil
            // MQTT 5 §3.9.3: one reason code a filter; without one it is not granted.
            unsafe ReceiverBox.of(user)?.receiver?.subscribed(messageID: id, reasonCode: reason ?? 0x80)
        }
        unsafe mosquitto_message_v5_callback_set(client) { _, user, message, _ in
            guard let message = unsafe message?.pointee, let topic = unsafe message.topic else { return }
            let bytes = unsafe UnsafeRawBufferPointer(start: message.payload, count: Int(max(message.payloadlen, 0)))
            unsafe ReceiverBox.of(user)?.receiver?.received(
                MQTTMessage(topic: String(cString: topic), payload: Array(bytes), isRetained: message.retain)
            )
        }
        unsafe mosquitto_log_callback_set(client) { _, user, level, text in
            guard level == Int32(MOSQ_LOG_ERR), let text = unsafe text.map({ unsafe String(cString: $0) }) else {
                return
            }
            // "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed"
            if text.hasPrefix("OpenSSL Error") { unsafe ReceiverBox.of(user)?.tlsFailure = text }
        }
    }

    @unsafe private static func context(_ configuration: MQTTConfiguration) throws(MQTTError) -> OpaquePointer {
        let tls = configuration.tls
        var what: UnsafePointer<CChar>?
        let context = unsafe tls.anchors.withUnsafeBytes { anchors in
            unsafe tls.certificateChain.withUnsafeBytes { chain in
                unsafe tls.privateKey.withUnsafeBytes { key in
                    unsafe muster_tls_context(
                        configuration.host,
                        anchors.baseAddress,
                        Int32(clamping: anchors.count),
                        chain.baseAddress,
                        Int32(clamping: chain.count),
                        key.baseAddress,
                        Int32(clamping: key.count),
                        &what
                    )
                }
            }
        }
        guard let context = unsafe context else {
            let part = unsafe what.map { unsafe String(cString: $0) } ?? "the TLS material"
            throw .tls("\(part) cannot be used; give PEM, the key not encrypted and of the certificate")
        }
        return unsafe context
    }

    private static let topicErrors = [MOSQ_ERR_INVAL, MOSQ_ERR_MALFORMED_UTF8].map { Int32($0.rawValue) }
    /// Counted by the library; once for the process is enough, and it is never undone.
    private static let libraryIsReady: Bool = mosquitto_lib_init() == Int32(MOSQ_ERR_SUCCESS.rawValue)
}

/// What the callbacks' user data points to.
private final class ReceiverBox {
    weak var receiver: (any MosquittoReceiver)?
    var tlsFailure: String?

    init(_ receiver: any MosquittoReceiver) { self.receiver = receiver }

    @unsafe static func of(_ user: UnsafeMutableRawPointer?) -> ReceiverBox? {
        unsafe user.map { unsafe Unmanaged<ReceiverBox>.fromOpaque($0).takeUnretainedValue() }
    }
}
