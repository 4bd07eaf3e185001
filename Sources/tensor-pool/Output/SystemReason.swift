import Foundation

extension Error {
    /// Why the system refused, in its own words and without Foundation's around them.
    var systemReason: String {
        let error = self as NSError
        if error.domain == NSPOSIXErrorDomain { return unsafe String(cString: strerror(Int32(error.code))) }
        guard let underlying = error.userInfo[NSUnderlyingErrorKey] as? any Error else {
            return error.domain == NSCocoaErrorDomain ? localizedDescription : "\(self)"
        }
        return underlying.systemReason
    }
}
