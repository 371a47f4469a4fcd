#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shopsync_fuzz::number::check(data));
