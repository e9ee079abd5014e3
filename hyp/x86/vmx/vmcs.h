/* SPDX-License-Identifier: MIT */
/*
 * Numbers of VT-x: VMCS fields (SDM vol. 3 appendix B), control bits (ch. 25), exit reasons
 * (appendix C), MSRs (appendix A). Also read by the assembler.
 */
#ifndef BH_VMX_VMCS_H
#define BH_VMX_VMCS_H

/* Fields. Segment registers come in the order ES CS SS DS FS GS LDTR TR, two apart. */
#define VMCS_VPID                0x0000
#define VMCS_GUEST_SEL           0x0800
#define VMCS_HOST_CS_SEL         0x0c02
#define VMCS_HOST_SS_SEL         0x0c04
#define VMCS_HOST_TR_SEL         0x0c0c
#define VMCS_IO_BITMAP_A         0x2000
#define VMCS_IO_BITMAP_B         0x2002
#define VMCS_MSR_BITMAP          0x2004
#define VMCS_TSC_OFFSET          0x2010
#define VMCS_TSC_MULTIPLIER      0x2032
#define VMCS_EPTP                0x201a
#define VMCS_ENCLS_BITMAP        0x202e
#define VMCS_GUEST_PHYSICAL      0x2400
#define VMCS_LINK                0x2800
#define VMCS_GUEST_DEBUGCTL      0x2802
#define VMCS_GUEST_PAT           0x2804
#define VMCS_GUEST_EFER          0x2806
#define VMCS_GUEST_PDPTE0        0x280a
#define VMCS_HOST_PAT            0x2c00
#define VMCS_HOST_EFER           0x2c02
#define VMCS_PIN                 0x4000
#define VMCS_PROC                0x4002
#define VMCS_EXCEPTIONS          0x4004
#define VMCS_EXIT                0x400c
#define VMCS_ENTRY               0x4012
#define VMCS_ENTRY_EVENT         0x4016
#define VMCS_ENTRY_ERROR         0x4018
#define VMCS_ENTRY_INSN_LEN      0x401a
#define VMCS_PROC2               0x401e
#define VMCS_PLE_GAP             0x4020
#define VMCS_PLE_WINDOW          0x4022
#define VMCS_INSN_ERROR          0x4400
#define VMCS_REASON              0x4402
#define VMCS_EXIT_EVENT          0x4404
#define VMCS_VECTORING           0x4408
#define VMCS_VECTORING_ERROR     0x440a
#define VMCS_INSN_LEN            0x440c
#define VMCS_GUEST_LIMIT         0x4800
#define VMCS_GUEST_GDT_LIMIT     0x4810
#define VMCS_GUEST_IDT_LIMIT     0x4812
#define VMCS_GUEST_AR            0x4814
#define VMCS_GUEST_SHADOW        0x4824 /* interruptibility */
#define VMCS_GUEST_ACTIVITY      0x4826
#define VMCS_PREEMPTION_TIMER    0x482e
#define VMCS_CR0_MASK            0x6000
#define VMCS_CR4_MASK            0x6002
#define VMCS_CR0_SHADOW          0x6004
#define VMCS_CR4_SHADOW          0x6006
#define VMCS_QUALIFICATION       0x6400
#define VMCS_GUEST_CR0           0x6800
#define VMCS_GUEST_CR3           0x6802
#define VMCS_GUEST_CR4           0x6804
#define VMCS_GUEST_BASE          0x6806
#define VMCS_GUEST_GDT_BASE      0x6816
#define VMCS_GUEST_IDT_BASE      0x6818
#define VMCS_GUEST_DR7           0x681a
#define VMCS_GUEST_RSP           0x681c
#define VMCS_GUEST_RIP           0x681e
#define VMCS_GUEST_RFLAGS        0x6820
#define VMCS_GUEST_PENDING_DEBUG 0x6822
#define VMCS_HOST_CR0            0x6c00
#define VMCS_HOST_CR3            0x6c02
#define VMCS_HOST_CR4            0x6c04
#define VMCS_HOST_GS_BASE        0x6c08
#define VMCS_HOST_TR_BASE        0x6c0a
#define VMCS_HOST_GDT_BASE       0x6c0c
#define VMCS_HOST_IDT_BASE       0x6c0e
#define VMCS_HOST_RSP            0x6c14
#define VMCS_HOST_RIP            0x6c16

#define VMCS_LDT 6
#define VMCS_TR  7

/* Pin-based controls. */
#define PIN_INTERRUPT   0x01
#define PIN_NMI         0x08
#define PIN_VIRTUAL_NMI 0x20
#define PIN_PREEMPTION  0x40

/* Processor-based controls. */
#define PROC_INTR_WINDOW 0x00000004
#define PROC_TSC_OFFSET  0x00000008
#define PROC_HLT         0x00000080
#define PROC_MWAIT       0x00000400
#define PROC_RDPMC       0x00000800
#define PROC_CR8_LOAD    0x00080000
#define PROC_CR8_STORE   0x00100000
#define PROC_NMI_WINDOW  0x00400000
#define PROC_IO_BITMAP   0x02000000
#define PROC_MSR_BITMAP  0x10000000
#define PROC_MONITOR     0x20000000
#define PROC_SECONDARY   0x80000000

/* Secondary processor-based controls. */
#define PROC2_EPT          0x00000002
#define PROC2_RDTSCP       0x00000008
#define PROC2_VPID         0x00000020
#define PROC2_WBINVD       0x00000040
#define PROC2_UNRESTRICTED 0x00000080
#define PROC2_PAUSE_LOOP   0x00000400
#define PROC2_INVPCID      0x00001000
#define PROC2_ENCLS        0x00008000
#define PROC2_TSC_SCALING  0x02000000

/* Exit and entry controls. */
#define EXIT_CTL_DEBUG  0x00000004
#define EXIT_CTL_HOST64 0x00000200
#define EXIT_CTL_PAT    0x00080000
#define EXIT_CTL_EFER   0x00200000
#define ENTRY_CTL_DEBUG 0x00000004
#define ENTRY_CTL_IA32E 0x00000200
#define ENTRY_CTL_PAT   0x00004000
#define ENTRY_CTL_EFER  0x00008000

/* Event format of entry, exit and IDT vectoring (SDM 25.8.3, 25.9.2, 25.9.3). */
#define EVENT_VECTOR     0x000000ffU
#define EVENT_TYPE       0x00000700U
#define EVENT_NMI        0x00000200U
#define EVENT_ERROR      0x00000800U
#define EVENT_IRET       0x00001000U /* exits: NMIs unblocked by IRET */
#define EVENT_VALID      0x80000000U
#define EVENT_TYPE_NR(e) (((e) >> 8) & 7)

/* Interruptibility. */
#define SHADOW_STI   0x1U
#define SHADOW_MOVSS 0x2U
#define SHADOW_NMI   0x8U

/* Exit reasons. */
#define REASON_EXCEPTION     0
#define REASON_INTERRUPT     1
#define REASON_TRIPLE        2
#define REASON_INIT          3
#define REASON_SIPI          4
#define REASON_INTR_WINDOW   7
#define REASON_NMI_WINDOW    8
#define REASON_TASK_SWITCH   9
#define REASON_CPUID         10
#define REASON_GETSEC        11
#define REASON_HLT           12
#define REASON_INVD          13
#define REASON_RDPMC         15
#define REASON_RSM           17
#define REASON_VMCALL        18
#define REASON_VMCLEAR       19
#define REASON_VMXON         27
#define REASON_CR            28
#define REASON_IO            30
#define REASON_RDMSR         31
#define REASON_WRMSR         32
#define REASON_ENTRY_STATE   33
#define REASON_MWAIT         36
#define REASON_MONITOR       39
#define REASON_PAUSE         40
#define REASON_ENTRY_MC      41
#define REASON_EPT           48
#define REASON_EPT_MISCONFIG 49
#define REASON_INVEPT        50
#define REASON_PREEMPTION    52
#define REASON_INVVPID       53
#define REASON_WBINVD        54
#define REASON_XSETBV        55
#define REASON_VMFUNC        59
#define REASON_ENCLS         60
#define REASON_ENTRY_FAILED  0x80000000U

/* MSRs. */
#define MSR_FEATURE_CONTROL 0x03a /* bit 0 lock, bit 2 VMX outside SMX */
#define MSR_VMX_BASIC       0x480
#define MSR_VMX_MISC        0x485
#define MSR_VMX_CR0_FIXED0  0x486
#define MSR_VMX_CR0_FIXED1  0x487
#define MSR_VMX_CR4_FIXED0  0x488
#define MSR_VMX_CR4_FIXED1  0x489
#define MSR_VMX_PROC2       0x48b
#define MSR_VMX_EPT_VPID    0x48c
#define MSR_VMX_TRUE_PIN    0x48d
#define MSR_VMX_TRUE_PROC   0x48e
#define MSR_VMX_TRUE_EXIT   0x48f
#define MSR_VMX_TRUE_ENTRY  0x490

#endif
