# SPDX-License-Identifier: MIT
hyp-objs += hyp/x86/vmx/vmx.o hyp/x86/vmx/vmcs.o hyp/x86/vmx/vmstate.o hyp/x86/vmx/vmexit.o
hyp-objs += hyp/x86/vmx/vmenter.o
