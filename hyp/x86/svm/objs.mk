# SPDX-License-Identifier: MIT
hyp-objs += hyp/x86/svm/svm.o hyp/x86/svm/vmcb.o hyp/x86/svm/svmexit.o hyp/x86/svm/svminsn.o
hyp-objs += hyp/x86/svm/svmenter.o $(if $(DEBUG),hyp/x86/svm/vmcbcheck.o)
