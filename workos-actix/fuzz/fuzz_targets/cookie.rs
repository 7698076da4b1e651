#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| workos_actix::fuzzing::cookie(data));
