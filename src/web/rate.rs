//! How often one client may ask for what costs much.
//!
//! A client is an address, or the /64 network of one in IPv6, which is what one household has. Clients share a fixed
//! number of buckets by a hash that nobody outside can know: memory stays the same however many come.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use super::client::Client;
use super::failure::Failure;

/// How many buckets there are.
const BUCKETS: u64 = 1 << 16;

/// For how many seconds' worth a client may ask at once after a rest.
const BURST: u32 = 3;

/// Counts what each client asks for.
#[derive(Debug)]
pub(super) struct Rate(Option<Buckets>);

#[derive(Debug)]
struct Buckets {
    limiter: DefaultKeyedRateLimiter<u64>,
    clock: DefaultClock,
    hashes: RandomState,
}

impl Rate {
    /// Allows so many requests a second to each client; any number without a limit.
    pub(super) fn new(limit: Option<NonZeroU32>) -> Self {
        Self(limit.map(|limit| {
            let quota = Quota::per_second(limit).allow_burst(
                limit.saturating_mul(NonZeroU32::new(BURST).unwrap_or(NonZeroU32::MIN)),
            );
            Buckets {
                limiter: DefaultKeyedRateLimiter::keyed(quota),
                clock: DefaultClock::default(),
                hashes: RandomState::new(),
            }
        }))
    }

    /// Counts one request; answers how long to wait when it is one too many.
    fn charge(&self, address: IpAddr) -> Result<(), Duration> {
        let Some(Buckets {
            limiter,
            clock,
            hashes,
        }) = &self.0
        else {
            return Ok(());
        };
        let bucket = hashes.hash_one(household(address)) % BUCKETS;
        limiter
            .check_key(&bucket)
            .map_err(|refused| refused.wait_time_from(clock.now()))
    }
}

/// The address, or the network of an address whose owner has many.
fn household(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            [a, b, c, d]
                .into_iter()
                .fold(0, |bits, segment| bits << 16 | u64::from(segment))
        }
    }
}

/// Counts a costly request, and refuses it when there were too many.
pub(super) async fn charge(
    rate: Data<Rate>,
    client: Client,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match rate.charge(client.address) {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(wait) => Ok(request.error_response(Failure::too_many(wait))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(limit: u32) -> Rate {
        Rate::new(NonZeroU32::new(limit))
    }

    #[test]
    fn a_client_has_a_burst_and_then_has_to_wait() {
        let rate = rate(1);
        let address = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..BURST {
            assert_eq!(rate.charge(address), Ok(()));
        }
        let wait = rate.charge(address).unwrap_err();
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_secs(1),
            "{wait:?}"
        );
    }

    #[test]
    fn a_household_is_one_client_and_no_limit_is_none() {
        let of = |address: &str| household(address.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        let rate = rate(0);
        assert!((0..1_000).all(|_| rate.charge(IpAddr::from([192, 0, 2, 1])).is_ok()));
    }
}
