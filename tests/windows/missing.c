/* What Windows has and Debian's Wine has not, for the program as it is installed. Only tests lay it down, as
   bcryptprimitives.dll: Rust's standard library wants that one for its randomness. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length)
{
    return SystemFunction036(data, (ULONG)length);
}

/* Where an icon of the tray is: under the mouse, since only who clicks it asks. Wine's own says E_NOTIMPL, and then a
   click is no click. */
static HRESULT WINAPI under_the_mouse(const void *icon, RECT *rect)
{
    POINT mouse;

    (void)icon;
    if (!GetCursorPos(&mouse)) return E_FAIL;
    SetRect(rect, mouse.x - 8, mouse.y - 8, mouse.x + 8, mouse.y + 8);
    return S_OK;
}

/* The program finds ours in the place of Wine's. */
static void replace(BYTE *program)
{
    IMAGE_NT_HEADERS *headers = (IMAGE_NT_HEADERS *)(program + ((IMAGE_DOS_HEADER *)program)->e_lfanew);
    IMAGE_DATA_DIRECTORY *place = &headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
    IMAGE_IMPORT_DESCRIPTOR *library = (IMAGE_IMPORT_DESCRIPTOR *)(program + place->VirtualAddress);

    if (!place->VirtualAddress) return;
    for (; library->Name; library++) {
        IMAGE_THUNK_DATA *name = (IMAGE_THUNK_DATA *)(program + library->OriginalFirstThunk);
        IMAGE_THUNK_DATA *function = (IMAGE_THUNK_DATA *)(program + library->FirstThunk);

        if (lstrcmpiA((char *)program + library->Name, "shell32.dll")) continue;
        for (; name->u1.AddressOfData; name++, function++) {
            DWORD before;
            IMAGE_IMPORT_BY_NAME *entry = (IMAGE_IMPORT_BY_NAME *)(program + name->u1.AddressOfData);

            if (IMAGE_SNAP_BY_ORDINAL(name->u1.Ordinal)) continue;
            if (lstrcmpA((char *)entry->Name, "Shell_NotifyIconGetRect")) continue;
            VirtualProtect(function, sizeof(*function), PAGE_READWRITE, &before);
            function->u1.Function = (ULONGLONG)(ULONG_PTR)under_the_mouse;
            VirtualProtect(function, sizeof(*function), before, &before);
        }
    }
}

BOOL WINAPI DllMain(HINSTANCE own, DWORD reason, void *reserved)
{
    (void)own;
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) replace((BYTE *)GetModuleHandleA(NULL));
    return TRUE;
}
