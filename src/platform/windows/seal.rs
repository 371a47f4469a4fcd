//! Secrets sealed by DPAPI for this PC, in a file that few may open.

use std::io;
use std::path::Path;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
    SE_FILE_OBJECT, SetNamedSecurityInfoW,
};
use windows_sys::Win32::Security::Cryptography::{
    CRYPT_INTEGER_BLOB, CRYPTPROTECT_LOCAL_MACHINE, CRYPTPROTECT_UI_FORBIDDEN, CryptProtectData,
    CryptUnprotectData,
};
use windows_sys::Win32::Security::{
    ACL, DACL_SECURITY_INFORMATION, GetSecurityDescriptorDacl, GetTokenInformation,
    PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::super::seal::{Seal, access_list};
use super::wide;

/// So that another program of this PC does not open by chance what is ours. No secret: what keeps others out is the
/// file's access list.
const ENTROPY: &[u8] = b"ShopSync secrets 1";

/// DPAPI for the machine: a service and a tray must both open it.
pub(in crate::platform) struct MachineSeal;

impl Seal for MachineSeal {
    fn file(&self) -> &'static str {
        "secrets.sealed"
    }

    fn seal(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
        let (input, entropy, mut output) = (blob(plain)?, blob(ENTROPY)?, empty());
        let flags = CRYPTPROTECT_LOCAL_MACHINE | CRYPTPROTECT_UI_FORBIDDEN;
        // SAFETY: both blobs point into slices that live until the call returns, with their true lengths; the system
        // reads them only and makes the output itself.
        let done = unsafe { CryptProtectData(&input, null(), &entropy, null(), null(), flags, &mut output) };
        taken(done, output)
    }

    fn open(&self, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let (input, entropy, mut output) = (blob(sealed)?, blob(ENTROPY)?, empty());
        let flags = CRYPTPROTECT_UI_FORBIDDEN;
        // SAFETY: as for sealing; no description is asked for.
        let done =
            unsafe { CryptUnprotectData(&input, null_mut(), &entropy, null(), null(), flags, &mut output) };
        taken(done, output)
    }

    fn protect(&self, path: &Path) -> io::Result<()> {
        let list = wide(&access_list(own_sid()?.as_deref()));
        let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
        // SAFETY: the text ends with a zero; the descriptor is made by the system and freed below.
        let made = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                list.as_ptr(),
                SDDL_REVISION_1,
                &mut descriptor,
                null_mut(),
            )
        };
        if made == 0 {
            return Err(io::Error::last_os_error());
        }
        let (mut present, mut defaulted, mut dacl): (i32, i32, *mut ACL) = (0, 0, null_mut());
        let name = wide(&path.to_string_lossy());
        // SAFETY: the descriptor was just made and is freed only afterwards; the list lies within it. The name ends
        // with a zero. Neither owner, group nor audit list is set, so that their pointers may be null.
        let code = unsafe {
            let got = GetSecurityDescriptorDacl(descriptor, &mut present, &mut dacl, &mut defaulted);
            let code = if got == 0 || present == 0 {
                None
            } else {
                let what = DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
                Some(SetNamedSecurityInfoW(
                    name.as_ptr(),
                    SE_FILE_OBJECT,
                    what,
                    null_mut(),
                    null_mut(),
                    dacl,
                    null_mut(),
                ))
            };
            LocalFree(descriptor);
            code
        };
        match code {
            Some(0) => Ok(()),
            Some(code) => Err(io::Error::from_raw_os_error(i32::try_from(code).unwrap_or_default())),
            None => Err(io::Error::last_os_error()),
        }
    }
}

fn blob(bytes: &[u8]) -> io::Result<CRYPT_INTEGER_BLOB> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    Ok(CRYPT_INTEGER_BLOB { cbData: length, pbData: bytes.as_ptr().cast_mut() })
}

fn empty() -> CRYPT_INTEGER_BLOB {
    CRYPT_INTEGER_BLOB { cbData: 0, pbData: null_mut() }
}

/// Copies what the system made, and gives it back.
fn taken(done: i32, output: CRYPT_INTEGER_BLOB) -> io::Result<Vec<u8>> {
    if done == 0 || output.pbData.is_null() {
        return Err(io::Error::last_os_error());
    }
    let length = usize::try_from(output.cbData).map_err(io::Error::other)?;
    // SAFETY: the call succeeded, so the pointer is to that many bytes which nobody else has; they are copied before
    // they are freed, once, with the call that goes with it.
    let bytes = unsafe {
        let bytes = std::slice::from_raw_parts(output.pbData, length).to_vec();
        LocalFree(output.pbData.cast());
        bytes
    };
    Ok(bytes)
}

/// Whom this process runs as.
fn own_sid() -> io::Result<Option<String>> {
    let mut token: HANDLE = null_mut();
    // SAFETY: the pseudo handle of this process is always good; the token is closed below.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // Aligned as the structure in front of it, and larger than it with the longest of SIDs (68 bytes).
    let mut buffer = [0_u64; 32];
    let mut length = 0;
    let size = u32::try_from(size_of_val(&buffer)).unwrap_or_default();
    // SAFETY: the buffer is as long as is said, lives until the SID was read out of it, and is aligned for TOKEN_USER.
    // The text is the system's, ends with a zero, and is freed after it was copied.
    let text = unsafe {
        let got = GetTokenInformation(token, TokenUser, buffer.as_mut_ptr().cast(), size, &mut length);
        CloseHandle(token);
        if got == 0 {
            return Err(io::Error::last_os_error());
        }
        let user = &*buffer.as_ptr().cast::<TOKEN_USER>();
        let mut text = null_mut();
        if ConvertSidToStringSidW(user.User.Sid, &mut text) == 0 {
            return Err(io::Error::last_os_error());
        }
        let units = (0..).take_while(|at| *text.add(*at) != 0).count();
        let copied = String::from_utf16_lossy(std::slice::from_raw_parts(text, units));
        LocalFree(text.cast());
        copied
    };
    Ok(Some(text))
}
