#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| workos_actix::fuzzing::return_path(data));
